"""The watch over the runs of shards: it starts them, and goes on until all have ended or the parent itself is to end."""

import time
from collections.abc import Callable
from uuid import UUID

from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Crashed

from flows.sharding.attempts import Attempt, Decision, decide
from flows.sharding.reach import Patience, ask, reach_all
from flows.sharding.shard_progress import ShardProgress, describe_missing
from flows.sharding.shard_runs import ShardRuns
from flows.sharding.silence import SILENCE_SECONDS, Silence
from flows.stopping.stop_requests import StopRequest
from flows.stopping.suspension import Suspension, how_to_go_on
from tasks.evaluation.run.shard_plan import ShardPlan
from tasks.flow_runs import RETRY_ASKS
from tasks.server_failures import SERVER_FAILURES

POLL_SECONDS = 2.0
# How long runs may wait for a worker before the log says so.
LONELY_SECONDS = 60.0
# The most runs that a line of the log names.
MOST_NAMES = 20


class Watch:
    """Starts the runs of shards, and watches them until all have ended.

    Args:
        runs: the runs on Prefect's server.
        plan: the shards, with what is missing.
        progress: shows how far they are.
        notify: takes what the user should know.
    """

    def __init__(self, runs: ShardRuns, plan: ShardPlan, progress: ShardProgress, *, notify: Callable[[str], None]) -> None:
        self._runs = runs
        self._plan = plan
        self._progress = progress
        self._notify = notify
        self._needed = plan.list_needed()
        self._attempts: list[Attempt] = []
        self._silence = Silence(runs.read_sign)
        self._told: set[UUID] = set()
        self._alone_since: float | None = None
        self._is_unheard = False

    def go_on(self, stop: StopRequest, pause: Suspension) -> State[None] | None:
        """Start what is needed and wait for it; return the parent's state where it is asked to end before.

        Raises:
            UserMistake: the server cannot run shards.
            Pause: the parent was paused.
        """
        self._begin()
        while True:
            decision = self._look()
            if decision:
                self._act(decision, lambda: stop.is_received or pause.state is not None)
            end = self._leave(stop, pause)
            if end:
                return end
            if decision and not decision.start and not decision.open:
                self._conclude(decision)
                return None
            time.sleep(POLL_SECONDS)

    def describe_end(self) -> str:
        """Return how far all shards are, and what continues them, for the parent's state."""
        return f"{self._progress.done:,} of {sum(self._plan.counts):,} scored in shards. {RETRY_ASKS}"

    def _begin(self) -> None:
        """Say what is to be done."""
        self._try(self._read)
        self._notify(f"🧩 {describe_missing(self._plan, self._attempts)}")

    def _act(self, decision: Decision, is_to_end: Callable[[], bool]) -> None:
        """Resume and start runs; what fails is decided again in a moment."""
        for attempt in decision.resume:
            if not is_to_end():
                self._try(lambda run=attempt: self._runs.resume(run))  # type: ignore[misc]
        for shard, number in decision.start:
            if is_to_end() or not self._try(lambda shard=shard, number=number: self._runs.start(shard, number)):  # type: ignore[misc]
                return

    def _look(self) -> Decision | None:
        """Read the runs, and tell and show what has changed; return what is to be done, None if the server does not answer."""
        if not self._try(self._read):
            return None
        decision = decide(self._needed, self._attempts, self._runs.round)
        for attempt in self._attempts:
            if attempt.kind == "failed" and attempt.round == self._runs.round and attempt.run_id not in self._told:
                self._told.add(attempt.run_id)
                then = "it is started once more" if attempt.shard not in decision.given_up else "the run of the whole follows"
                self._notify(f"⚠️ Shard {attempt.shard} did not finish: {attempt.message or 'no reason is known'}. Next: {then}")
        self._warn_if_alone(decision)
        self._try(self._end_lost)
        self._progress.show_when_due(self._attempts)
        return decision

    def _read(self) -> None:
        self._attempts = self._runs.read()

    def _end_lost(self) -> None:
        for attempt in self._silence.find_lost(self._attempts, time.monotonic()):
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
                f"⚠️ No worker has taken one of {len(decision.open):,} shards: start workers for their queue, on other machines "
                "or here. The worker that runs this flow does not count if it has --limit 1"
            )

    def _leave(self, stop: StopRequest, pause: Suspension) -> State[None] | None:
        """Pass on that the parent is to end; return its state, or None if it goes on.

        Raises:
            Pause: it was paused.
        """
        if not stop.is_received and pause.state is None:
            return None
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            if self._is_cancelling(pause):
                self._reach_all(lambda attempt: attempt.can_be_cancelled, self._runs.cancel, "cancel")
                return Cancelled(message=self.describe_end())
            if pause.state:
                state = pause.state
                self._reach_all(lambda attempt: attempt.can_be_paused, lambda each: self._runs.pause(each, state), "pause")
                open_count = sum(attempt.is_open for attempt in self._attempts)
                self._notify(f"⚠️ Paused, with {open_count:,} shards. {how_to_go_on(state)}")
                raise Pause(state=state)
        return Crashed(message=self.describe_end())

    def _is_cancelling(self, pause: Suspension) -> bool:
        """Return True if the parent is being cancelled; a server that does not answer is asked for some seconds."""
        answer = ask(self._runs.is_parent_cancelling, Patience())
        if answer is None and pause.state is None:
            self._notify("⚠️ Prefect's server does not say whether this run is being cancelled: if so, cancel its shards too")
        return bool(answer)

    def _reach_all(self, is_meant: Callable[[Attempt], bool], act: Callable[[Attempt], bool], verb: str) -> None:
        """Pass on the parent's end to the runs that are meant, and name those that it did not reach."""

        def read() -> list[Attempt]:
            self._attempts = self._runs.read()
            return [attempt for attempt in self._attempts if is_meant(attempt)]

        known = [attempt for attempt in self._attempts if is_meant(attempt)]
        unreached = reach_all(known, read, act, Patience())
        if unreached:
            names = "; ".join(attempt.name for attempt in unreached.attempts[:MOST_NAMES]) or "not known which"
            more = len(unreached.attempts) - MOST_NAMES
            reason = unreached.reason or "it gives no reason"
            self._notify(
                f"⚠️ Prefect's server did not {verb} all shards ({reason}). Until you {verb} them too, these go on: {names}"
                f"{f'; and {more:,} more' if more > 0 else ''}"
            )

    def _conclude(self, decision: Decision) -> None:
        if decision.done or decision.given_up:
            self._notify(
                f"🧩 Shards that have finished: {len(decision.done):,} of {len(self._needed):,}. "
                "The run of the whole follows: it asks what is missing, and writes the results"
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
