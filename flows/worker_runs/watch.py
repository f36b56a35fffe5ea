"""The watch over runs on workers: it starts them, sees how they do, and lets them end with their parent."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

from prefect.settings import PREFECT_API_REQUEST_TIMEOUT, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.stopping.suspension import Suspension
from flows.worker_runs.attempts import Attempt, Decision, decide
from flows.worker_runs.reach import REQUEST_SECONDS, Patience, ask, reach_all
from flows.worker_runs.silence import SILENCE_SECONDS, Silence
from flows.worker_runs.worker_runs import WorkerRuns
from tasks.server_failures import SERVER_FAILURES

POLL_SECONDS = 2.0
# How long runs may wait for a worker before the log says so.
LONELY_SECONDS = 60.0
# The most runs that a line of the log names.
MOST_NAMES = 20
# What a client needs that asks for the runs: the parent sees Cancel and Pause only between its requests.
CLIENT_SETTINGS = {PREFECT_CLIENT_MAX_RETRIES: 2, PREFECT_API_REQUEST_TIMEOUT: REQUEST_SECONDS}


class Watch:
    """Starts the runs of a parent's parts, and watches them.

    `attempts` are all runs, as they were read last. `needed` are the parts that are worth a run.

    Args:
        runs: the runs on Prefect's server.
        needed: those parts.
        most_open: how many runs may be open at once.
        notify: takes what the user should know.
    """

    def __init__(
        self, runs: WorkerRuns, needed: Sequence[str], *, most_open: int = sys.maxsize, notify: Callable[[str], None]
    ) -> None:
        self.attempts: list[Attempt] = []
        self.needed = list(needed)
        self._runs = runs
        self._most_open = most_open
        self._notify = notify
        self._silence = Silence(runs.read_sign)
        self._told: set[UUID] = set()
        self._alone_since: float | None = None
        self._is_unheard = False

    def read(self) -> bool:
        """Read all runs, and end those that are lost; return False if the server does not answer."""
        if not self._try(self._read):
            return False
        self._try(self._end_lost)
        return True

    def decide(self) -> Decision:
        """Return what is to be done next, and say so, once, if no worker takes the runs."""
        decision = decide(self.needed, self.attempts, self._runs.round)
        self._warn_if_alone(decision)
        return decision

    def list_failed(self) -> list[Attempt]:
        """Return the runs of this round that have failed since this was asked last."""
        failed = [attempt for attempt in self.attempts if attempt.kind == "failed" and attempt.round == self._runs.round]
        news = [attempt for attempt in failed if attempt.run_id not in self._told]
        self._told.update(attempt.run_id for attempt in news)
        return news

    def act(self, decision: Decision, is_to_end: Callable[[], bool]) -> None:
        """Resume and start runs; what fails is decided again in a moment.

        Raises:
            UserMistake: the server cannot run them.
        """
        for attempt in decision.resume:
            if not is_to_end():
                self._try(lambda run=attempt: self._runs.resume(run))  # type: ignore[misc]
        for part, number in decision.start[: max(self._most_open - len(decision.open), 0)]:
            if is_to_end() or not self._try(lambda part=part, number=number: self._runs.start(part, number)):  # type: ignore[misc]
                return

    def end_with_parent(self, pause: Suspension, *, cancels: bool = False) -> Literal["cancelled", "paused"] | None:
        """Pass on to the runs that the parent ends; return what was passed on, None if they go on.

        Args:
            pause: the parent's, if it is paused.
            cancels: cancel them in any case; else it is asked whether the parent is being cancelled.
        """
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            if cancels or self._is_cancelling(pause):
                self._reach_all(lambda attempt: attempt.can_be_cancelled, self._runs.cancel, "cancel")
                return "cancelled"
            state = pause.state
            if state:
                self._reach_all(lambda attempt: attempt.can_be_paused, lambda each: self._runs.pause(each, state), "pause")
                return "paused"
        return None

    def _read(self) -> None:
        self.attempts = self._runs.read()

    def _end_lost(self) -> None:
        for attempt in self._silence.find_lost(self.attempts, time.monotonic()):
            self._runs.end_lost(attempt, SILENCE_SECONDS)

    def _warn_if_alone(self, decision: Decision) -> None:
        """Say so, once, if no worker takes the runs."""
        is_alone = bool(decision.open) and all(attempt.kind == "waiting" for attempt in decision.open)
        if not is_alone:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > LONELY_SECONDS:
            self._alone_since = float("inf")
            self._notify(
                f"⚠️ No worker takes the {self._runs.noun}s that wait ({len(decision.open):,}): start workers for their queue, "
                "on other machines or here. The worker that runs this flow does not count if it has --limit 1"
            )

    def _is_cancelling(self, pause: Suspension) -> bool:
        """Return True if the parent is being cancelled; a server that does not answer is asked for some seconds."""
        answer = ask(self._runs.is_parent_cancelling, Patience())
        if answer is None and pause.state is None:
            self._notify(
                f"⚠️ Prefect's server does not say whether this run is being cancelled: if so, cancel its {self._runs.noun}s too"
            )
        return bool(answer)

    def _reach_all(self, is_meant: Callable[[Attempt], bool], act: Callable[[Attempt], bool], verb: str) -> None:
        """Pass on the parent's end to the runs that are meant, and name those that it did not reach."""

        def read() -> list[Attempt]:
            self.attempts = self._runs.read()
            return [attempt for attempt in self.attempts if is_meant(attempt)]

        known = [attempt for attempt in self.attempts if is_meant(attempt)]
        unreached = reach_all(known, read, act, Patience())
        if unreached:
            names = "; ".join(attempt.name for attempt in unreached.attempts[:MOST_NAMES]) or "not known which"
            more = len(unreached.attempts) - MOST_NAMES
            reason = unreached.reason or "it gives no reason"
            self._notify(
                f"⚠️ Prefect's server did not {verb} all {self._runs.noun}s ({reason}). Until you {verb} them too, these go on: "
                f"{names}{f'; and {more:,} more' if more > 0 else ''}"
            )

    def _try(self, ask: Callable[[], None]) -> bool:
        """Ask the server; return False, after a note the first time, if it does not answer."""
        try:
            ask()
        except SERVER_FAILURES as failure:
            if not self._is_unheard:
                self._notify(f"⚠️ Prefect's server does not answer, and is asked again: {failure}")
            self._is_unheard = True
            return False
        self._is_unheard = False
        return True
