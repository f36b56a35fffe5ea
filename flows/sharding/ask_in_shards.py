"""What the parent of shards does before it runs the whole: it lets runs of the shards ask what is missing, and watches them."""

import os
import time
from asyncio import CancelledError
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import Pause
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Cancelled, Crashed

from flows.opening.run_tags import tag_run
from flows.opening.signs_of_life import signs_of_life
from flows.opening.sole_process import sole_process
from flows.sharding.attempts import Attempt, Decision, decide
from flows.sharding.shard_progress import ShardProgress
from flows.sharding.shard_runs import ShardRuns, ShardSettings
from flows.stopping.stop_requests import StopRequest, is_cancelling, stop_on_signals
from flows.stopping.suspension import Suspension, hold_back_pause, how_to_go_on
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.loading import find_config_file, load_config
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.shard_plan import ShardPlan, plan_shards, require_whole
from tasks.flow_runs import RETRY_ASKS
from tasks.server_failures import SERVER_FAILURES

POLL_SECONDS = 2.0
# How long runs may wait for a worker before the log says so.
LONELY_SECONDS = 60.0


def ask_in_shards(settings: ShardSettings, shard_count: int) -> State[None] | None:
    """Let runs of the shards ask what is missing; return None when all have ended.

    Returns:
        The state in which the parent is to end, where it was asked to before that.

    Raises:
        UserMistake: no run is possible with these settings.
        Pause: the parent was paused, and so are the runs now.
    """
    bypass_proxies(os.environ)
    config_file = find_config_file(settings.config_file)
    config = load_config(config_file, settings.overrides)
    require_whole(config)
    load_config(config_file, settings.overrides.model_copy(update={"shard": str(Shard(0, shard_count))}))
    run_id = UUID(flow_run.id)
    with (
        sole_process(config, str(run_id), get_run_logger().info),
        signs_of_life(),
        stop_on_signals() as stop,
        hold_back_pause() as pause,
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}),
        get_client(sync_client=True) as client,
    ):
        tag_run(config)
        plan = make_plan(config, config_file, shard_count, str(run_id))
        runs = ShardRuns(client, client.read_flow_run(run_id), settings)
        watch = Watch(runs, plan, ShardProgress(client, config, run_id, plan), notify=get_run_logger().info)
        try:
            return watch.go_on(stop, pause)
        except CancelledError:  # Prefect's server has given away the parent's place; the runs go on
            return Crashed(message=watch.describe_end())


def make_plan(config: Config, config_file: str | None, shard_count: int, run_id: str) -> ShardPlan:
    """Return how the selection is divided, and what is missing."""
    folder = Path(config_file).parent if config_file else Path()
    endpoints = find_endpoints(config, folder, KeyReader(os.environ, lambda _: NO_KEY))
    return plan_shards(config, endpoints, shard_count, own_folder=check_folders(config), run_id=run_id)


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
            for shard, number in decision.start if decision else []:
                if not stop.is_received and not pause.state:
                    self._try(lambda shard=shard, number=number: self._runs.start(shard, number))  # type: ignore[misc]
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
        """Say what is to be done, and resume the runs that were paused together with the parent."""
        plan = self._plan
        missing = f"{plan.missing_count:,} of {sum(plan.counts):,} questions are missing"
        if not self._needed and plan.missing_count:
            missing = f"{missing}, no more than {len(plan.counts):,} shards have in flight at once"
        self._notify(f"🧩 {missing}: {len(self._needed):,} of {len(plan.counts):,} shards need a run")
        self._try(lambda: self._runs.resume(self._runs.read()))

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
        self._progress.show_when_due(self._attempts)
        return decision

    def _read(self) -> None:
        self._attempts = self._runs.read()

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
        self._try(self._read)
        open_runs = [attempt for attempt in self._attempts if attempt.is_open]
        if is_cancelling():
            self._try(lambda: self._runs.cancel(open_runs))
            return Cancelled(message=self.describe_end())
        if pause.state:
            state = pause.state
            self._try(lambda: self._runs.pause(open_runs, state))
            self._notify(f"⚠️ Paused, with {len(open_runs):,} shards. {how_to_go_on(state)}")
            raise Pause(state=state)
        return Crashed(message=self.describe_end())

    def _conclude(self, decision: Decision) -> None:
        if decision.done or decision.given_up:
            self._notify(
                f"🧩 Shards that have finished: {len(decision.done):,} of {len(self._needed):,}. "
                "The run of the whole follows: it asks what is missing, and writes the results"
            )

    def _try(self, ask: Callable[[], None]) -> bool:
        """Ask the server; return False if it does not answer, which is said once and waited out."""
        try:
            ask()
        except SERVER_FAILURES as failure:
            if not self._is_unheard:
                self._notify(f"⚠️ Prefect's server does not answer, and is asked again: {failure}")
            self._is_unheard = True
            return False
        self._is_unheard = False
        return True
