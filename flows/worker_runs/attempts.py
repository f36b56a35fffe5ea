"""The runs that a parent has started on workers, and what is to be done next with each of its parts, such as shards.

That is decided here, and done elsewhere. A part whose run fails or crashes gets a second run. Each retry of the parent is a new
round, in which that holds again; what still runs from an earlier round goes on, and what has finished then stays finished.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from prefect.client.schemas.objects import FlowRun, StateType

# The runs that a part gets in each round.
MOST_ATTEMPTS = 2

# The message of the state that the parent gives a run when it is paused itself. A run that a person paused has none.
PAUSED_WITH_PARENT = "Paused together with the run that has started it."

Kind = Literal["waiting", "taken", "running", "paused", "cancelling", "done", "failed", "cancelled"]
KINDS: dict[StateType, Kind] = {
    StateType.SCHEDULED: "waiting",
    StateType.PENDING: "taken",
    StateType.RUNNING: "running",
    StateType.CANCELLING: "cancelling",
    StateType.PAUSED: "paused",
    StateType.COMPLETED: "done",
    StateType.FAILED: "failed",
    StateType.CRASHED: "failed",
    StateType.CANCELLED: "cancelled",
}
KEY = re.compile(r"[0-9a-f-]{36}:(.+):(\d+)\.(\d+)")


@dataclass(frozen=True)
class Attempt:
    """A run of a part."""

    part: str
    """The part: a shard, `3/64`, or a cell of a suite by its name."""
    round: int
    """The parent's attempt, from 1, that has started it."""
    number: int
    """Which of the part's runs it is in this round, from 0."""
    run_id: UUID
    """The flow run's id."""
    kind: Kind
    """Its state."""
    message: str = ""
    """What its state says."""
    state_id: UUID | None = None
    """The state's id on Prefect's server; another one for each change of state."""

    @property
    def is_open(self) -> bool:
        """Return True if it has not ended."""
        return self.kind not in ("done", "failed", "cancelled")

    @property
    def can_be_paused(self) -> bool:
        """Return True if it has neither ended nor been asked to."""
        return self.kind in ("waiting", "taken", "running")

    @property
    def can_be_cancelled(self) -> bool:
        """Return True if it has neither ended nor been cancelled already."""
        return self.is_open and self.kind != "cancelling"

    @property
    def is_paused_with_parent(self) -> bool:
        """Return True if the parent has paused it: what a person paused waits until a person resumes it."""
        return self.kind == "paused" and self.message == PAUSED_WITH_PARENT

    @property
    def name(self) -> str:
        """Return what the user knows it by: `3/64`, or `3/64, run 2`."""
        return name_run(self.part, self.number)


@dataclass(frozen=True)
class Decision:
    """What is to be done next."""

    start: list[tuple[str, int]] = field(default_factory=list)
    """The parts that need a run, each with the number of that run in this round."""
    open: list[Attempt] = field(default_factory=list)
    """The runs that have not ended."""
    resume: list[Attempt] = field(default_factory=list)
    """Those of them that were paused together with the parent, which goes on."""
    done: list[str] = field(default_factory=list)
    """The parts of which a run has ended well."""
    given_up: list[str] = field(default_factory=list)
    """The parts that get no more runs."""


def name_run(part: str, number: int) -> str:
    """Return what the user knows a part's run by that has this number in its round."""
    return f"{part}, run {number + 1}" if number else part


def make_key(parent: UUID, part: str, round_number: int, number: int) -> str:
    """Return the idempotency key of a part's run, by which Prefect's server never makes it twice."""
    return f"{parent}:{part}:{round_number}.{number}"


def read_attempt(run: FlowRun) -> Attempt | None:
    """Return the attempt that the flow run is; None for any other sub-flow, such as another program's."""
    found = KEY.fullmatch(run.idempotency_key or "")
    if found is None:
        return None
    kind: Kind = KINDS[run.state.type] if run.state else "waiting"
    message = (run.state.message if run.state else None) or ""
    state_id = run.state.id if run.state else None
    return Attempt(found[1], int(found[2]), int(found[3]), run.id, kind, message, state_id)


def decide(needed: Sequence[str], attempts: Sequence[Attempt], round_number: int) -> Decision:
    """Return what is to be done next.

    Args:
        needed: the parts that are worth a run.
        attempts: all runs of parts so far. One that has not ended is waited for, also if its part is not worth a run now.
        round_number: the parent's attempt, from 1.
    """
    decision = Decision(
        open=[attempt for attempt in attempts if attempt.is_open],
        resume=[attempt for attempt in attempts if attempt.is_paused_with_parent],
    )
    active = {attempt.part for attempt in decision.open}
    done = {attempt.part for attempt in attempts if attempt.kind == "done"}
    for part in needed:
        own = [attempt for attempt in attempts if attempt.part == part and attempt.round == round_number]
        # Not their number: somebody may have deleted one, and the key of another is never made twice.
        next_number = max((attempt.number + 1 for attempt in own), default=0)
        if part in done:
            decision.done.append(part)
        elif part in active:
            continue
        elif next_number >= MOST_ATTEMPTS or any(attempt.kind == "cancelled" for attempt in own):
            decision.given_up.append(part)
        else:
            decision.start.append((part, next_number))
    return decision
