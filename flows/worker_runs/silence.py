"""Runs on workers of which nothing more is heard, though a worker has taken them.

A worker that dies before a run's first sign of life leaves it Pending or Running, and one that dies while its run is being
cancelled leaves it Cancelling. The automation for killed runs (`flows/serving/automations.py`) waits for runs that have given a
sign, and not every server has it. So the parent takes such a run for lost after ten minutes without a change of its state or a
new sign of life.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from flows.worker_runs.attempts import Attempt

SILENCE_SECONDS = 600.0
# What happened while the parent itself did not look, because the server was down or its process stood still, is not known.
LONGEST_GAP_SECONDS = 60.0
TAKEN = ("taken", "running", "cancelling")


@dataclass(frozen=True)
class Heard:
    """What was heard of a run, and since when it has been no more."""

    state_id: UUID | None
    """Its state."""
    sign: UUID | None
    """Its newest sign of life, which is looked up only after ten minutes in that state."""
    since: float
    """The time, in seconds of a monotonic clock."""


class Silence:
    """Knows how long nothing has been heard of each run.

    Args:
        read_sign: returns the id of a run's newest sign of life; None if it has given none.
    """

    def __init__(self, read_sign: Callable[[UUID], UUID | None]) -> None:
        self._read_sign = read_sign
        self._heard: dict[UUID, Heard] = {}
        self._looked_at = float("-inf")

    def find_lost(self, attempts: Sequence[Attempt], now: float) -> list[Attempt]:
        """Return the runs that are lost.

        A run that gives signs of life and is then killed is found after ten to twenty minutes.

        Args:
            attempts: all runs, as they are now.
            now: the time, in seconds of a monotonic clock.
        """
        if now - self._looked_at > LONGEST_GAP_SECONDS:
            self._heard.clear()
        self._looked_at = now
        taken = [attempt for attempt in attempts if attempt.kind in TAKEN]
        lost, heard_now = list[Attempt](), dict[UUID, Heard]()
        for attempt in taken:
            heard = self._heard.get(attempt.run_id)
            if heard is None or heard.state_id != attempt.state_id:
                heard = Heard(attempt.state_id, None, now)
            elif now - heard.since >= SILENCE_SECONDS:
                sign = self._read_sign(attempt.run_id)
                if sign == heard.sign:
                    lost.append(attempt)
                else:
                    heard = Heard(attempt.state_id, sign, now)
            heard_now[attempt.run_id] = heard
        self._heard = heard_now
        return lost
