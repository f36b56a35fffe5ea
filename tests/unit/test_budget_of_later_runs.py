"""What runs have spent counts in the budget of later ones: each of it, and once."""

import re
from pathlib import Path

import pytest

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.spending.amounts import Caps, Spending
from tasks.evaluation.spending.shared_purse import SharedPurse
from tests.support.budgets import COUNT, MOST, answer, ask_all, limit, spent, take
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    is_grader,
    make_questions,
    prompt_of,
    write_questions,
)


def test_a_budget_ends_a_run_and_a_higher_one_continues_it(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """What an earlier run has paid counts, though it was killed; no question is asked twice."""
    asked = dict[str, int]()
    for cap in (1_000, 1_000, 1_500, 100_000):
        endpoint.forget()
        with budgeted.open(limit(tokens=cap), run_id="run") as run:
            cause = ask_all(run)
            done = len(run.ledger.results)
        for prompt, times in endpoint.asked().items():
            asked[prompt] = asked.get(prompt, 0) + times
        total = sum(take(int(re.findall(r"Question (\d+)", prompt)[0])) for prompt in asked)
        assert total <= cap
        if cap < 100_000:
            assert f" of {cap:,} tokens spent, and the next request may take " in cause
            assert cause.endswith("raise --max-tokens-total")
    assert done == COUNT
    assert set(asked.values()) == {1}


def test_replies_that_do_not_say_what_they_take_count_with_the_most(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Bytes of the prompt, and the longest reply."""
    endpoint.rule = lambda body: Reply({**answer_by_rule(body).body, "usage": None})  # type: ignore[dict-item]
    with budgeted.open(limit(tokens=5_000), run_id="run") as run:
        assert "budget is reached" in ask_all(run)
        assert 0 < len(run.ledger.results) < 5_000 // MOST
    with budgeted.open(limit(tokens=5_000), run_id="run") as run:
        assert "tokens that no answer accounts for" in ask_all(run)


@pytest.mark.parametrize("reply", [{"usage": None}, {"choices": [], "usage": {"total_tokens": 4_500}}])
def test_what_is_in_no_result_counts_in_the_next_run(
    budgeted: Evaluation, endpoint: FakeEndpoint, reply: dict[str, object]
) -> None:
    """Replies that say nothing of their tokens, and those that are no answers."""
    endpoint.rule = lambda body: Reply({**answer_by_rule(body).body, **reply})  # type: ignore[dict-item]
    with budgeted.open(limit(tokens=5_000), run_id="one") as run:
        assert "budget is reached" in ask_all(run)
    endpoint.forget()
    with budgeted.open(limit(tokens=5_000), run_id="two") as run:
        assert "budget is reached" in ask_all(run)
    assert not endpoint.bodies


@pytest.mark.parametrize("caps", [{"tokens": 1_500}, {"cost": 1_500}])
def test_a_run_that_goes_on_knows_the_largest_reply_of_earlier_ones(
    budgeted: Evaluation, endpoint: FakeEndpoint, caps: dict[str, object]
) -> None:
    """What did not fit into the budget does not fit into it the second time."""
    endpoint.rule = lambda body: answer(body, cost=float(take(int(re.findall(r"Question (\d+)", prompt_of(body))[0]))))
    settings = limit(**caps) | {"model.generator_settings.max_tokens": None}
    for most in (COUNT, 0):
        endpoint.forget()
        with budgeted.open(settings, run_id="run") as run:
            assert "the next request may take" in ask_all(run)
        assert endpoint.asked().total() <= most


def test_the_grader_spends_from_the_same_budget(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """What is not graded any more is kept, and counts in the next run."""
    settings = limit(tokens=3_700) | {"model.grader_shortname": "judge"}
    with budgeted.open(settings, run_id="run") as run:
        assert "budget is reached" in ask_all(run)
    assert endpoint.asked(grader=True).total() > 0
    endpoint.forget()
    with budgeted.open(settings, run_id="run") as run:
        ask_all(run)
    assert endpoint.asked().total() + endpoint.asked(grader=True).total() <= 1


def test_an_answer_without_a_grade_counts_once(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Though the next run finds it again."""
    settings = limit(tokens=100_000) | {"model.grader_shortname": "judge"}
    endpoint.rule = lambda body: error(401, "no") if is_grader(body) else answer(body)
    with budgeted.open(settings, run_id="one") as run:
        assert ask_all(run)
        assert run.budget
        assert run.budget.spent.tokens == spent(endpoint) > 0
    with budgeted.open(settings, run_id="two") as run:
        assert run.budget
        assert run.budget.spent.tokens == spent(endpoint)
        assert not run.budget.unrecorded


def test_what_refusals_have_cost_counts_when_they_are_asked_again(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Whether the budget suffices to ask them again or not."""
    write_questions(Path(), make_questions(4))
    endpoint.rule = lambda body: Reply({**answer(body).body, "choices": [{"message": {}, "finish_reason": "content_filter"}]})  # type: ignore[dict-item]
    for caps in (100_000, 200, 100_000):
        with budgeted.open(limit(tokens=caps) | {"processing.retry_refused": True}, run_id=f"run {caps}") as run:
            ask_all(run)
            assert run.budget
            assert run.budget.spent.tokens == spent(endpoint) > 0
    assert endpoint.asked().total() == 8


def test_a_days_budget_is_shared_by_all_runs_of_the_directory(budgeted: Evaluation, endpoint: FakeEndpoint) -> None:
    """Also by those of other evaluations; what is answered already costs nothing more."""
    paid = 0
    for run_id, extra in (("one", {}), ("two", {"top_p": 0.9}), ("three", {"top_p": 0.8})):
        endpoint.forget()
        settings = limit(tokens=3_000, per="day") | {"model.generator_settings.extra": extra}
        with budgeted.open(settings, run_id=run_id) as run:
            cause = ask_all(run)
        paid += spent(endpoint)
        assert paid <= 3_000
        assert bool(cause) == (run_id != "one")
    assert endpoint.asked().total() <= 1


def test_a_killed_run_counts_with_what_it_has_claimed(tmp_path: Path) -> None:
    """One that has ended counts with what it has spent, and one that goes on with both of its parts."""
    caps = Caps(BudgetSettings(cost=10, per="month"))
    killed, ended, other = (SharedPurse(tmp_path / "2026-11", name, caps) for name in ("killed", "ended", "other"))
    assert killed.claim(Spending(0, 4.0))
    assert ended.claim(Spending(0, 5.0))
    assert not other.claim(Spending(0, 1.5))
    ended.settle(Spending(0, 2.0))
    assert other.claim(Spending(0, 3.5))
    assert not other.claim(Spending(0, 4.5))
    continued = SharedPurse(tmp_path / "2026-11", "killed", caps)
    assert not continued.claim(Spending(0, 1.0))
    other.settle(Spending(0, 1.0))
    assert continued.claim(Spending(0, 3.0))
    assert continued.add_others(Spending()) == Spending(0, 7.0)
    (tmp_path / "2026-11/torn.json").write_text('{"tokens":')
    assert not continued.claim(Spending(0, 3.1))
