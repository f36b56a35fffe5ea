"""The Prefect variable that sets how many questions are in flight, in every run that is asking: fewer during an incident."""

from collections.abc import Callable

from tasks.evaluation.config.overrides import MOST_WORKERS
from tasks.evaluation.run.run import Run

VARIABLE = "mcqa_parallel_workers"


class WorkersVariable:
    """Keeps as many questions in flight as the variable says."""

    name = VARIABLE

    def __init__(self, run: Run) -> None:
        self._run = run
        self._count = WorkerCount(run.configured_workers, run.progress.notify)

    def take(self, value: object) -> None:
        """Take what the variable holds, None without a variable."""
        # Both change with the number of addresses.
        self._count.configured, self._count.current = self._run.configured_workers, self._run.workers
        if self._count.take(value):
            self._run.set_workers(self._count.current)


class WorkerCount:
    """Decides how many questions are in flight, from what the variable holds.

    Args:
        configured: the number without the variable.
        notify: takes what the user should know: each change, and each unusable value once.
    """

    def __init__(self, configured: int, notify: Callable[[str], None]) -> None:
        self.current = configured
        self.configured = configured
        self._notify = notify
        self._unusable: object = None

    def take(self, value: object) -> bool:
        """Take what the variable holds, None without a variable; return True if that changes the number."""
        count = self.configured if value is None else read_count(value)
        if count is None:
            self._warn_once(value)
            return False
        self._unusable = None
        if count == self.current:
            return False
        source = "as configured" if value is None else f"by the variable {VARIABLE}; configured: {self.configured:,}"
        self._notify(f"Questions in flight: {count:,} instead of {self.current:,} ({source})")
        self.current = count
        return True

    def _warn_once(self, value: object) -> None:
        if value != self._unusable:
            self._unusable = value
            self._notify(
                f"⚠️ The variable {VARIABLE} holds {value!r:.40}, which is ignored: it must be a whole number from 1 to "
                f"{MOST_WORKERS:,}. Questions in flight: {self.current:,}"
            )


def read_count(value: object) -> int | None:
    """Return the number that a variable holds, as JSON or in words of digits; None if it cannot be used."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal():
        value = int(value.strip().lstrip("0")[:9] or 0)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 1 <= value <= MOST_WORKERS else None
