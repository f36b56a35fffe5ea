"""The Prefect variables that change a run while it asks.

A thread beside the run looks every few seconds, so that a slow or lost server never holds up a question or fails a run.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Protocol

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.asking.addresses_variable import AddressesVariable
from flows.asking.parallel_workers import WorkersVariable
from flows.process.beside import beside
from tasks.audience import has_audience
from tasks.evaluation.run.run import Run
from tasks.server_failures import SERVER_FAILURES

# A change shows within ten seconds, also where the server takes some of them to answer.
EVERY_SECONDS = 5.0
# How long a run waits for a server that does not answer: before its first question, and at its end.
FIRST_SECONDS, PATIENCE_SECONDS = 3.0, 1.0


class Followed(Protocol):
    """A variable that is followed."""

    name: str

    def take(self, value: object) -> None:
        """Take what the variable holds, None without a variable."""


@contextmanager
def follow_variables(run: Run) -> Iterator[None]:
    """Let the variables change the run, until the block is left.

    They are read before the block is entered, so that no run begins with more questions in flight than they allow. Where nobody
    can set them, nothing is done.
    """
    if not run.ledger.open_count or not has_audience():
        yield
        return
    is_read = threading.Event()
    followed: list[Followed] = [WorkersVariable(run), *(AddressesVariable(run, each) for each in run.followings)]
    with beside(partial(_follow_until, followed, is_read), name="variables", patience_seconds=PATIENCE_SECONDS):
        is_read.wait(FIRST_SECONDS)
        yield


def _follow_until(followed: Sequence[Followed], is_read: threading.Event, has_ended: threading.Event) -> None:
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
        while not has_ended.is_set():
            # If the server does not answer, everything stays as it is.
            with suppress(*SERVER_FAILURES):
                for each in followed:
                    variable = client.read_variable_by_name(each.name)
                    each.take(variable.value if variable else None)
            is_read.set()
            has_ended.wait(EVERY_SECONDS)
