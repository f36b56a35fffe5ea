"""Requests to Prefect's server that must arrive before the parent of runs ends, also where it answers only now and then.

A failure concerns one run: the others are asked all the same, and those that are left are asked again.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flows.worker_runs.attempts import Attempt
from tasks.server_failures import SERVER_FAILURES

# Prefect's worker kills a cancelled run after 30 seconds; the last request may take `REQUEST_SECONDS` of these.
PATIENCE_SECONDS = 15.0
REST_SECONDS = 1.0
REQUEST_SECONDS = 10.0

Answer = TypeVar("Answer")


class Patience:
    """The time until nothing is asked again.

    Args:
        seconds: that time.
        rest_seconds: the time between two requests for the same.
    """

    def __init__(self, seconds: float = PATIENCE_SECONDS, rest_seconds: float = REST_SECONDS) -> None:
        self._seconds = seconds
        self._rest_seconds = rest_seconds
        self.renew()

    def renew(self) -> None:
        """Begin again, since something has succeeded."""
        self._ends_at = time.monotonic() + self._seconds

    def rest(self) -> None:
        """Wait until the same is asked again."""
        time.sleep(self._rest_seconds)

    @property
    def is_over(self) -> bool:
        """Return True if the time is over."""
        return time.monotonic() >= self._ends_at


@dataclass(frozen=True)
class Unreached:
    """The runs that a request has not reached."""

    attempts: Sequence[Attempt]
    """The runs; it may be known of none which they are."""
    reason: str
    """What the server answered last."""


def ask(request: Callable[[], Answer], patience: Patience) -> Answer | None:
    """Return what the server answers, as soon as it does; None if it does not before the time is over."""
    while True:
        try:
            return request()
        except SERVER_FAILURES:
            if patience.is_over:
                return None
        patience.rest()


def reach_all(
    known: Sequence[Attempt], read: Callable[[], Sequence[Attempt]], act: Callable[[Attempt], bool], patience: Patience
) -> Unreached | None:
    """Ask the server for the same of each run, until that is done, or the time is over; return what is left then.

    Args:
        known: the runs in question, as they were seen last.
        read: returns those in question now.
        act: asks for it; returns False if it has to be asked again.
        patience: begins again with each run that is reached.
    """
    left, reason = list(known), ""
    while True:
        is_read = False
        try:
            left, is_read = list(read()), True
        except SERVER_FAILURES as failure:
            reason = str(failure)
        for attempt in list(left):
            try:
                if act(attempt):
                    left.remove(attempt)
                    patience.renew()
            except SERVER_FAILURES as failure:
                reason = str(failure)
            if patience.is_over:
                return Unreached(left, reason)
        if is_read and not left:
            return None
        if patience.is_over:
            return Unreached(left, reason)
        patience.rest()
