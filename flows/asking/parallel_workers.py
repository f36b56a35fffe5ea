"""The Prefect variable that sets how many questions are in flight, in every run that is asking: fewer during an incident.

A thread beside the run looks every few seconds, so that a slow or lost server never holds up a question or fails a run.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.process.beside import beside
from tasks.audience import has_audience
from tasks.evaluation.config.overrides import MOST_WORKERS
from tasks.evaluation.run.run import Run
from tasks.server_failures import SERVER_FAILURES

VARIABLE = "mcqa_parallel_workers"
# A change shows within ten seconds, also where the server takes some of them to answer.
EVERY_SECONDS = 5.0
# How long a run waits for a server that does not answer: before its first question, and at its end.
FIRST_SECONDS, PATIENCE_SECONDS = 3.0, 1.0


@contextmanager
def follow_variable(run: Run) -> Iterator[None]:
    """Keep as many questions in flight as the variable says, until the block is left.

    It is read before the block is entered, so that no run begins with more than it allows. Where nobody can set it, nothing is
    done.
    """
    if not run.ledger.open_count or not has_audience():
        yield
        return
    is_read = threading.Event()
    with beside(partial(_follow_until, run, is_read), name="parallel-workers", patience_seconds=PATIENCE_SECONDS):
        is_read.wait(FIRST_SECONDS)
        yield


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


def _follow_until(run: Run, is_read: threading.Event, has_ended: threading.Event) -> None:
    count = WorkerCount(run.configured_workers, run.progress.notify)
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
        while not has_ended.is_set():
            _follow(client, count, run)
            is_read.set()
            has_ended.wait(EVERY_SECONDS)


def _follow(client: SyncPrefectClient, count: WorkerCount, run: Run) -> None:
    """Take the variable's value; if the server does not answer, everything stays as it is."""
    with suppress(*SERVER_FAILURES):
        variable = client.read_variable_by_name(VARIABLE)
        count.configured, count.current = run.configured_workers, run.workers
        if count.take(variable.value if variable else None):
            run.set_workers(count.current)
