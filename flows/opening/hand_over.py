"""What `mcqa score` has read and started before it calls the flow in its own process, so that the flow does not do it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flows.process.handing import hand_down
from tasks.evaluation.run.start import Start

_start: ContextVar[Start | None] = ContextVar("start", default=None)


@contextmanager
def hand_over(start: Start) -> Iterator[None]:
    """Let the flow that is called meanwhile take up the start."""
    with hand_down(_start, start):
        yield


def find_start() -> Start | None:
    """Return the start that the command has handed over; None in a run that a worker has begun."""
    return _start.get()
