"""The budget: what is in flight counts with the most that it may take, so no cap is passed, and little is left over."""

import asyncio
import random
import re
import time
from typing import Any

import pytest

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.errors import BudgetReached, UserMistake
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.spending.amounts import Caps, Spending
from tasks.evaluation.spending.budget import Budget, OwnPurse
from tasks.evaluation.spending.common_budget import CommonBudget
from tasks.evaluation.spending.evaluation_spending import EvaluationSpending
from tests.support.budgets import COUNT, WORKERS, answer, ask_all, limit, spent, take
from tests.support.evaluation import KEYS, Evaluation
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    prompt_of,
)

NOTHING_BEFORE = EvaluationSpending(None, Spending())
PRICES = {"prompt": 1_000_000, "completion": 1_000_000}  # a dollar a token


async def spend(budget: Budget, chance: random.Random, requests: int, totals: list[int]) -> int:
    """Send requests, 64 at a time, which end in any order; return how many were sent."""
    most = Spending(100, 100.0)
    left, sent = iter(range(requests)), 0

    async def work() -> None:
        nonlocal sent
        for _ in left:
            async with budget.hold(most) as receipt:
                sent += 1
                for _ in range(int(chance.lognormvariate(2, 1))):
                    await asyncio.sleep(0)
                tokens = chance.randint(1, 100)
                totals.append(tokens)
                receipt.spent = Spending(tokens, float(tokens))

    await asyncio.gather(*(work() for _ in range(64)), return_exceptions=True)
    return sent


@pytest.mark.parametrize("kind", ["tokens", "cost"])
def test_no_cap_is_passed_and_none_is_left_over(kind: str) -> None:
    """A hundred caps each, 64 in flight: what is left in the end is less than one request may take."""
    chance = random.Random(3)
    for _ in range(100):
        cap, before = chance.randint(1, 20_000), chance.randint(0, 500)
        settings, totals = BudgetSettings.model_validate({kind: cap}), list[int]()
        budget = Budget(settings, OwnPurse(Caps(settings), Spending(before, float(before))), NOTHING_BEFORE)
        sent = asyncio.run(spend(budget, chance, 300, totals))
        assert len(totals) == sent
        assert before + sum(totals) <= cap or not sent
        if sent < 300:
            assert isinstance(budget.cause, BudgetReached)
            assert cap - before - sum(totals) < 100


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model.generator_settings.prices": PRICES}, {}),
        ({}, {"cost": None}),
    ],
)
def test_a_cost_is_limited_by_prices_and_by_the_endpoints_own_word(
    budgeted: Evaluation, endpoint: FakeEndpoint, settings: dict[str, object], said: dict[str, object]
) -> None:
    """The one knows the most that a reply may cost; the other is held to twice the dearest reply so far."""

    def rule(body: dict[str, Any]) -> Reply:
        number = int(re.findall(r"Question (\d+)", prompt_of(body))[0])
        return answer(body, **({"cost": float(take(number))} if said else {}))

    endpoint.rule = rule
    cap = 1_500
    with budgeted.open(settings | limit(cost=cap), run_id="run") as run:
        cause = ask_all(run)
        report = run.metadata.report_cost(None)
    total = spent(endpoint)
    assert total <= cap
    assert "raise --max-cost" in cause
    assert report.to_json()["prices"] == {"generator": "the endpoint" if said else "the settings"}
    assert report.to_json()["all_results"] == {"generator": total, "total": total, "unknown_count": 0}
    assert report.describe()["Cost, this run"] == f"${total:,.2f}"


def test_an_endpoint_that_is_free_is_asked_at_full_speed(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Once its first reply has said so."""
    endpoint.rule, endpoint.delay_seconds = lambda body: answer(body, cost=0), 0.02
    with budgeted.open(limit(cost=0.01), run_id="run") as run:
        assert not ask_all(run)
        assert len(run.ledger.results) == COUNT
    assert endpoint.most_in_flight == WORKERS


def test_a_failure_that_says_what_it_has_cost_counts(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Though it came in place of an answer, with status 200."""
    report, usage = {"message": "the prompt was flagged", "code": "content_filter"}, {"total_tokens": 60, "cost": 0.5}
    endpoint.rule = lambda body: (
        Reply({"error": report, "usage": usage}) if "Question 7:" in prompt_of(body) else answer(body, cost=0.0)
    )
    with budgeted.open(limit(cost=9), run_id="run") as run:
        ask_all(run)
        costs = run.metadata.report_cost(None).to_json()
    assert costs["this_run"] == costs["all_results"] == {"generator": 0.5, "total": 0.5, "unknown_count": 0}


def test_a_cost_that_nobody_knows_is_a_mistake(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """The first reply shows it, and is kept."""
    with budgeted.open(limit(cost=5), run_id="run") as run:
        ask_all(run)
        assert isinstance(run.stop_cause, UserMistake)
        assert str(run.stop_cause) == (
            "budget.cost cannot be kept: nothing says what the generator's replies cost. Set prices in "
            "model.generator_settings, or budget.tokens in place of budget.cost"
        )
        assert len(run.ledger.results) == 1
    assert endpoint.asked().total() == 1


def test_without_a_limit_of_replies_the_first_goes_alone(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Then each may take twice what the largest has taken."""
    endpoint.delay_seconds = 0.01
    settings = limit(tokens=1_500) | {"model.generator_settings.max_tokens": None}
    with budgeted.open(settings, run_id="run") as run:
        assert "budget is reached" in ask_all(run)
        assert 0 < spent(endpoint) <= 1_500


def test_time_that_is_over_ends_a_run_and_loses_nothing_in_flight(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """It is waited for, and nothing more is sent."""
    endpoint.delay_seconds = 0.2
    with budgeted.open(limit(seconds=0.1), run_id="run") as run:
        started = time.monotonic()
        cause = ask_all(run)
        assert "seconds that --max-seconds gives each run are over" in cause
        assert len(run.ledger.results) == endpoint.asked().total() > 0
        assert time.monotonic() - started < 5


def test_an_estimate_tells_before_the_first_question_that_a_budget_will_not_do(
    budgeted: Evaluation, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the length of the prompts at first, then by the mean of the answers that are known, with a 95 % interval."""
    priced: dict[str, object] = {"model.generator_settings.prices": {"prompt": 1000, "completion": 10_000}}
    lines = list[str]()

    def open_noting(settings: dict[str, object]) -> None:
        config, keys = budgeted.configure(settings), KeyReader(KEYS, str)
        lines.clear()
        with open_run(config, config_file=None, run_id="run", keys=keys, log=lambda _, line: lines.append(line)) as run:
            ask_all(run)

    open_noting(priced | limit(cost=15))
    assert lines[0].endswith("by the length of the prompts, for replies of up to 100 tokens")
    assert lines[1:3] == [
        "💰 Budget: $0.00 of $15.00 spent",
        "⚠️ By this estimate the budget may end before all questions are answered",
    ]
    open_noting(priced | limit(cost=5))
    known = next(line for line in lines if line.startswith("Cost still to be paid, generator: "))
    low, high = (float(end) for end in re.findall(r"\$([\d.]+)", known))
    whole = sum(0.01 + (take(number) - 10) * 0.01 for number in range(1, COUNT + 1))
    rest = whole - float(re.findall(r"\$([\d.]+) of", "\n".join(lines))[0])
    assert low <= rest <= high


def test_what_others_hold_in_common_is_waited_for() -> None:
    """A cell is not at the end of a suite's budget as long as another may give back what is in flight."""
    common, order = CommonBudget(BudgetSettings(tokens=1_000), Spending()), list[str]()
    first, second = common.open(NOTHING_BEFORE), common.open(NOTHING_BEFORE)

    async def send(budget: Budget, name: str, begins: asyncio.Event, ends: asyncio.Event) -> None:
        async with budget.hold(Spending(900, 0.0)) as receipt:
            begins.set()
            await ends.wait()
            receipt.spent = Spending(60, 0.0)
            order.append(name)

    async def send_both() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()
        one = asyncio.create_task(send(first, "one", begun, ended))
        await begun.wait()
        two = asyncio.create_task(send(second, "two", begun, ended))
        await asyncio.sleep(0)
        assert not two.done()
        ended.set()
        await asyncio.wait_for(asyncio.gather(one, two), 10)
        with pytest.raises(BudgetReached, match="120 of 1,000 tokens spent, and the next request may take 900"):
            await asyncio.wait_for(send(first, "three", begun, ended), 10)

    asyncio.run(send_both())
    assert order == ["one", "two"]
    assert common.cause


@pytest.mark.parametrize(
    "caps", [{"cost": 0}, {"tokens": -1}, {"seconds": 0}, {"per": "day"}, {"per": "week", "cost": 1}, {"dollars": 3}]
)
def test_a_cap_that_cannot_be_used_is_refused(budgeted: Evaluation, caps: dict[str, object]) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match="budget"):
        budgeted.configure(limit(**caps))
