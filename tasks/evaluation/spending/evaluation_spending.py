"""What one evaluation has spent: what its results hold, and in two small files what they do not.

    .mcqa/spending/{evaluation}/claimed.json      while a run asks, and after it was killed: the most that all has cost by now
    .mcqa/spending/{evaluation}/unrecorded.json   what was spent and is in no result

A run writes what it may have spent before it spends it, a hundredth of the caps at a time. So one that is killed counts with
what was in flight, which may be charged and is in no reply.
"""

from contextlib import suppress
from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.spending.amounts import Spending
from tasks.evaluation.spending.spending_files import read_spending, write_spending

CLAIMED, UNRECORDED = "claimed.json", "unrecorded.json"


class EvaluationSpending:
    """Counts what an evaluation has spent, over all runs with a budget.

    `before` is what it had spent, at most, when this was made; `unrecorded` is the part of it that is in no answer or grade.

    Args:
        folder: that of the files; None: nothing is kept.
        recorded: what the answers and grades have cost that are known.
    """

    def __init__(self, folder: Path | None, recorded: Spending) -> None:
        self._folder = folder
        self.before = self._covered = recorded.plus(self._read(UNRECORDED)).at_least(self._read(CLAIMED))
        self.unrecorded = self.before.minus(recorded)

    def cover(self, claimed: Spending, step: Spending) -> None:
        """Keep that this run may have spent this much by now.

        Args:
            claimed: the most that it may have spent.
            step: how much more is written, so that not each request writes a file.

        Raises:
            StorageFailure: it cannot be written.
        """
        whole = self.before.plus(claimed)
        if self._folder is None or whole.at_least(self._covered) == self._covered:
            return
        covered = whole.plus(step).at_least(self._covered)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageFailure(f"cannot write to {self._folder}: {error.strerror}; {MAKE_ROOM}") from None
        write_spending(self._folder / CLAIMED, covered)
        self._covered = covered

    def settle(self, spent: Spending, recorded: Spending) -> None:
        """Keep what was spent and is in no result, in place of what may have been; if it cannot be written, that stays.

        Args:
            spent: by this run.
            recorded: what the answers and grades have cost that are known now.
        """
        if self._folder is None or not (self._folder / CLAIMED).exists():
            return
        unrecorded = self.before.plus(spent).minus(recorded).at_least(Spending())
        with suppress(OSError, StorageFailure):
            write_spending(self._folder / UNRECORDED, unrecorded)
            (self._folder / CLAIMED).unlink()

    def _read(self, name: str) -> Spending:
        return read_spending(self._folder / name) if self._folder else Spending()
