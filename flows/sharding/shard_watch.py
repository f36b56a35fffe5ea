"""The watch over the runs of shards: it goes on until all have ended or the parent itself is to end."""

import time
from collections.abc import Callable

from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.states import Cancelled, Crashed

from flows.sharding.shard_progress import ShardProgress, describe_missing
from flows.stopping.stop_requests import StopRequest
from flows.stopping.suspension import Suspension, how_to_go_on
from flows.worker_runs.attempts import Decision
from flows.worker_runs.watch import POLL_SECONDS, Watch
from flows.worker_runs.worker_runs import WorkerRuns
from tasks.evaluation.run.shard_plan import ShardPlan
from tasks.flow_runs import RETRY_ASKS


class ShardWatch:
    """Starts the runs of shards, and watches them until all have ended.

    Args:
        runs: the runs on Prefect's server.
        plan: the shards, with what is missing.
        progress: shows how far they are.
        notify: takes what the user should know.
    """

    def __init__(self, runs: WorkerRuns, plan: ShardPlan, progress: ShardProgress, *, notify: Callable[[str], None]) -> None:
        self._plan = plan
        self._progress = progress
        self._notify = notify
        self._watch = Watch(runs, [str(shard) for shard in plan.list_needed()], notify=notify)

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
                self._watch.act(decision, lambda: stop.is_received or pause.state is not None)
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
        self._watch.read()
        self._notify(f"🧩 {describe_missing(self._plan, self._watch.attempts)}")

    def _look(self) -> Decision | None:
        """Read the runs, and tell and show what has changed; return what is to be done, None if the server does not answer."""
        if not self._watch.read():
            return None
        decision = self._watch.decide()
        for attempt in self._watch.list_failed():
            then = "it is started once more" if attempt.part not in decision.given_up else "the run of the whole follows"
            self._notify(f"⚠️ Shard {attempt.part} did not finish: {attempt.message or 'no reason is known'}. Next: {then}")
        self._progress.show_when_due(self._watch.attempts)
        return decision

    def _leave(self, stop: StopRequest, pause: Suspension) -> State[None] | None:
        """Pass on that the parent is to end; return its state, or None if it goes on.

        Raises:
            Pause: it was paused.
        """
        if not stop.is_received and pause.state is None:
            return None
        passed_on = self._watch.end_with_parent(pause)
        if passed_on == "paused" and pause.state:
            open_count = sum(attempt.is_open for attempt in self._watch.attempts)
            self._notify(f"⚠️ Paused, with {open_count:,} shards. {how_to_go_on(pause.state)}")
            raise Pause(state=pause.state)
        end = Cancelled if passed_on == "cancelled" else Crashed
        return end(message=self.describe_end())

    def _conclude(self, decision: Decision) -> None:
        if decision.done or decision.given_up:
            self._notify(
                f"🧩 Shards that have finished: {len(decision.done):,} of {len(self._watch.needed):,}. "
                "The run of the whole follows: it asks what is missing, and writes the results"
            )
