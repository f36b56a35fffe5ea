"""What the runs of a day or a month spend together, in a file for each run.

    .mcqa/spending/2026-11-28/{run}.json      {"tokens": 12800, "dollars": 0.41}
    .mcqa/spending/2026-11-28/lock

A run writes what it claims before it spends it, and what it has spent when it ends, so that one that was killed counts with its
claim. Claims are made one at a time, under the kernel's lock on the file `lock`. Where the file system has no locks, runs that
claim in the same moment may together claim more than there is.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tasks.evaluation.config.budget_settings import Period
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.spending.amounts import Caps, Spending, add_up
from tasks.evaluation.spending.spending_files import read_spending, write_spending

LOCK = "lock"


class SharedPurse:
    """What the runs of one period may spend together.

    Args:
        folder: that of the period.
        run: this run's name, which no other run has.
        caps: the most that may be spent.
    """

    def __init__(self, folder: Path, run: str, caps: Caps) -> None:
        self._folder, self._path, self._caps = folder, folder / f"{run}.json", caps
        self._before = read_spending(self._path)

    def claim(self, claimed: Spending) -> bool:
        """Claim this amount in all for this run; return False if the others leave too little.

        Raises:
            StorageFailure: the claim cannot be written.
        """
        with self._locked():
            whole = self._before.plus(claimed)
            if not self._caps.allow(self._add_up_others().plus(whole)):
                return False
            write_spending(self._path, whole)
        return True

    def give_back(self, claimed: Spending, *, spent: Spending, held: Spending) -> Spending:  # noqa: ARG002 - as for `settle`
        """Give nothing back before the run ends: each time would be a write to the disk."""
        return claimed

    def may_refill(self, claimed: Spending) -> bool:  # noqa: ARG002 - nothing is known of it
        """Return False: what other processes give back is not waited for."""
        return False

    def settle(self, spent: Spending) -> None:
        """Give back what was claimed and not spent; if that cannot be written, the claim stays."""
        with suppress(StorageFailure), self._locked():
            write_spending(self._path, self._before.plus(spent))

    def add_others(self, spent: Spending) -> Spending:
        """Return what this run has spent together with what the others have claimed."""
        return self._add_up_others().plus(self._before).plus(spent)

    def _add_up_others(self) -> Spending:
        return add_up(read_spending(path) for path in self._folder.glob("*.json") if path != self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / LOCK).open("a")
        except OSError as error:
            raise StorageFailure(f"cannot write to {self._folder}: {error.strerror}; {MAKE_ROOM}") from None
        with file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def name_period(period: Period, now: datetime) -> str:
    """Return the name of the period's folder.

    Args:
        period: its kind.
        now: a moment in it, in the time zone by which it begins.
    """
    return f"{now:%Y-%m-%d}" if period == "day" else f"{now:%Y-%m}"
