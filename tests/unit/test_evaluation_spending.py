"""What an evaluation has spent: what results hold, what they do not, and what a killed run may have spent."""

import asyncio
from pathlib import Path

import pytest

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.errors import BudgetReached, StorageFailure
from tasks.evaluation.spending.amounts import Caps, Spending
from tasks.evaluation.spending.budget import Budget, OwnPurse
from tasks.evaluation.spending.evaluation_spending import EvaluationSpending

STEP = Spending(10, 0.1)
SOME = Spending(400, 4.0)


def test_a_killed_run_counts_with_what_it_has_claimed(tmp_path: Path) -> None:
    """Of that, what has reached the results is counted once; no answer accounts for the rest."""
    killed = EvaluationSpending(tmp_path / "e", Spending(1_000, 10.0))
    assert (killed.before, killed.unrecorded) == (Spending(1_000, 10.0), Spending())
    killed.cover(SOME, STEP)
    continued = EvaluationSpending(tmp_path / "e", Spending(1_300, 13.0))
    assert continued.before == Spending(1_410, 14.1)
    assert continued.unrecorded.tokens == 110
    assert continued.unrecorded.dollars == pytest.approx(1.1)


def test_a_run_that_ends_leaves_what_is_in_no_result(tmp_path: Path) -> None:
    """What was counted stays counted, whatever is recorded later, and it can always be said how much that is."""
    killed = EvaluationSpending(tmp_path / "e", Spending())
    killed.cover(SOME, STEP)
    continued = EvaluationSpending(tmp_path / "e", Spending(350, 3.5))
    continued.cover(Spending(100, 1.0), STEP)
    continued.settle(Spending(90, 0.5), recorded=Spending(420, 4.0))
    later = EvaluationSpending(tmp_path / "e", Spending(420, 4.0))
    assert later.before == Spending(500, 4.6)
    assert later.unrecorded.tokens == 80
    assert later.unrecorded.dollars == pytest.approx(0.6)
    assert EvaluationSpending(tmp_path / "e", Spending(520, 5.0)).before == Spending(600, 5.6)


def test_a_kill_between_the_two_files_counts_nothing_twice(tmp_path: Path) -> None:
    spending = EvaluationSpending(tmp_path / "e", Spending())
    spending.cover(SOME, STEP)
    claimed = (tmp_path / "e/claimed.json").read_bytes()
    spending.settle(SOME, recorded=Spending(300, 3.0))
    (tmp_path / "e/claimed.json").write_bytes(claimed)
    assert EvaluationSpending(tmp_path / "e", Spending(300, 3.0)).before == Spending(410, 4.1)


def test_a_half_written_file_of_a_killed_run_is_replaced(tmp_path: Path) -> None:
    for number in range(3):
        EvaluationSpending(tmp_path / "e", Spending(number * 1_000, 0.0)).cover(SOME, STEP)
        (tmp_path / "e/claimed.tmp").write_text('{"tok')
    assert sorted(path.name for path in (tmp_path / "e").iterdir()) == ["claimed.json", "claimed.tmp"]
    assert EvaluationSpending(tmp_path / "e", Spending()).before.tokens == 2_410


def test_few_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundredth of the caps at a time, however small the requests."""
    written = list[Spending]()
    monkeypatch.setattr(
        "tasks.evaluation.spending.evaluation_spending.write_spending", lambda _, spending: written.append(spending)
    )
    settings = BudgetSettings(tokens=100_000)
    evaluation = EvaluationSpending(tmp_path / "e", Spending())
    budget = Budget(settings, OwnPurse(Caps(settings), Spending()), evaluation)

    async def spend() -> None:
        for _ in range(20_000):
            async with budget.hold(Spending(9, 0.0)) as receipt:
                receipt.spent = Spending(5, 0.0)

    with pytest.raises(BudgetReached):
        asyncio.run(spend())
    assert 50 < len(written) <= 101
    assert written == sorted(written)


def test_what_is_cut_off_counts_with_the_most_that_it_may_take(tmp_path: Path) -> None:
    """An endpoint may charge for a request that nobody waits for any more."""
    settings = BudgetSettings(tokens=1_000)
    evaluation = EvaluationSpending(tmp_path / "e", Spending())
    budget = Budget(settings, OwnPurse(Caps(settings), Spending()), evaluation)

    async def ask() -> None:
        async with budget.hold(Spending(300, 3.0)):
            await asyncio.sleep(60)

    async def cut_off() -> None:
        task = asyncio.create_task(ask())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cut_off())
    assert budget.spent == Spending(300, 0.0)
    budget.close(Spending())
    assert EvaluationSpending(tmp_path / "e", Spending()).before == Spending(300, 3.0)


def test_nothing_is_sent_that_could_not_be_counted(tmp_path: Path) -> None:
    (tmp_path / "e").write_text("in the way")
    settings = BudgetSettings(cost=1)
    budget = Budget(settings, OwnPurse(Caps(settings), Spending()), EvaluationSpending(tmp_path / "e", Spending()))

    async def ask() -> None:
        async with budget.hold(Spending(1, 0.1)):
            pytest.fail("sent")

    with pytest.raises(StorageFailure, match="cannot write"):
        asyncio.run(ask())
