"""What runs in several processes spend together: those of a day or a month, or the cells of a suite on workers.

    .mcqa/spending/2026-11-28/{run}.json           {"tokens": 12800, "dollars": 0.41}
    .mcqa/spending/2026-11-28/lock
    .mcqa/spending/suite-mmlu-8d0c29f1/{evaluation}.json

A day or a month has a file for each run. A suite has one for each cell's evaluation, with all that this has ever spent, so
that a cell counts once, in however many runs. A run writes what it claims before it spends it, and what it has spent when it
ends: a killed run counts with its claim. Claims are made one at a time, under the kernel's lock on the file `lock`. Where the
file system has no locks, runs that claim in the same moment may together claim more than there is.
"""

import fcntl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tasks.evaluation.config.budget_settings import Period
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.spending.amounts import Caps, Spending, add_up
from tasks.evaluation.spending.spending_files import read_spending, write_spending

LOCK = "lock"


class SharedPurse:
    """What several runs may spend together.

    Args:
        folder: that of all their files.
        name: that of this run's file, which no other run has at the same time.
        caps: the most that may be spent.
        before: what counts in this file from before; None: what it says.
    """

    counts = "spent, or set aside by other runs"

    def __init__(self, folder: Path, name: str, caps: Caps, before: Spending | None = None) -> None:
        self._folder, self._path, self._caps = folder, folder / f"{name}.json", caps
        self._before = read_spending(self._path) if before is None else before

    def claim(self, claimed: Spending) -> bool:
        """Claim this amount in all for this run; return False if the others leave too little.

        Raises:
            StorageFailure: the claim cannot be written.
        """
        with _locked(self._folder):
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
        with suppress(StorageFailure), _locked(self._folder):
            write_spending(self._path, self._before.plus(spent))

    def add_others(self, spent: Spending) -> Spending:
        """Return what this run has spent together with what the others have claimed."""
        return self._add_up_others().plus(self._before).plus(spent)

    def _add_up_others(self) -> Spending:
        return add_up(read_spending(path) for path in _list_files(self._folder) if path != self._path)


def fill_purse(folder: Path, spent: Mapping[str, Spending], ended: Collection[str]) -> None:
    """Let the purse hold what was spent before, and nothing of others.

    Args:
        folder: the purse's.
        spent: what was spent, by the names of the files.
        ended: those of them that nobody spends from now. Others may have a run that has just claimed more.

    Raises:
        StorageFailure: it cannot be written.
    """
    with _locked(folder):
        for path in _list_files(folder):
            if path.stem not in spent:
                path.unlink(missing_ok=True)
        for name, amount in spent.items():
            path = folder / f"{name}.json"
            write_spending(path, amount if name in ended else amount.at_least(read_spending(path)))


def _list_files(folder: Path) -> list[Path]:
    return [*folder.glob("*.json")]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a")
    except OSError as error:
        raise StorageFailure(f"cannot write to {folder}: {error.strerror}; {MAKE_ROOM}") from None
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
