"""A run that shares its process with others, as a cell of a suite does: it has no signals and no bar of its own.

Whoever starts such runs, each in a thread of its own, receives the signals for all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from flows.process.handing import hand_down
from tasks.evaluation.spending.common_budget import CommonBudget


class Halt:
    """Asks several runs to stop. It may be asked and read in any thread.

    `reason` is why they are to stop; empty as long as they go on.
    """

    def __init__(self) -> None:
        self.reason = ""


@dataclass(frozen=True)
class SharedProcess:
    """What a run has in common with those beside it."""

    name: str
    """What the run's lines in the terminal begin with."""
    group: str
    """What they are called together."""
    halt: Halt
    """Asks them to stop."""
    budget: CommonBudget | None
    """What they may spend together; None: each has its own budget, or none."""


_shared: ContextVar[SharedProcess | None] = ContextVar("shared_process", default=None)


@contextmanager
def sharing(shared: SharedProcess) -> Iterator[None]:
    """Let a run that is started within the block share its process."""
    with hand_down(_shared, shared):
        yield


def find_shared() -> SharedProcess | None:
    """Return what the present run shares; None if the process is its own."""
    return _shared.get()
