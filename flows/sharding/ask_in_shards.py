"""What the parent of shards does before it runs the whole: it lets runs of the shards ask what is missing, and watches them."""

import os
from asyncio import CancelledError
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.settings import temporary_settings
from prefect.states import Crashed

from flows.opening.run_tags import tag_run
from flows.opening.signs_of_life import signs_of_life
from flows.opening.sole_process import sole_process
from flows.sharding.shard_progress import ShardProgress
from flows.sharding.shard_settings import ShardSettings
from flows.sharding.shard_watch import ShardWatch
from flows.stopping.stop_requests import stop_on_signals
from flows.stopping.suspension import hold_back_pause
from flows.worker_runs.watch import CLIENT_SETTINGS
from flows.worker_runs.worker_runs import WorkerRuns
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.loading import find_config_file, find_folder, load_config
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.endpoints.proxies import bypass_proxies
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.shard_plan import ShardPlan, plan_shards, require_whole


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
    run_id = UUID(flow_run.id)
    load_config(config_file, settings.overrides.combine(settings.assign(Shard(0, shard_count), run_id)))
    with (
        sole_process(config, str(run_id), get_run_logger().info),
        signs_of_life(),
        stop_on_signals() as stop,
        hold_back_pause() as pause,
        temporary_settings(CLIENT_SETTINGS),
        get_client(sync_client=True) as client,
    ):
        tag_run(config)
        plan = make_plan(config, config_file, shard_count, str(run_id))
        parent = client.read_flow_run(run_id)
        runs = WorkerRuns(client, parent, "shard", lambda part: settings.specify(part, parent))
        watch = ShardWatch(runs, plan, ShardProgress(client, config, run_id, plan), notify=get_run_logger().info)
        try:
            return watch.go_on(stop, pause)
        except CancelledError:  # Prefect's server has given away the parent's place; the runs go on
            return Crashed(message=watch.describe_end())


def make_plan(config: Config, config_file: str | None, shard_count: int, run_id: str) -> ShardPlan:
    """Return how the selection is divided, and what is missing."""
    folder = find_folder(config_file)
    endpoints = find_endpoints(config, folder, KeyReader(os.environ, lambda _: NO_KEY))
    own_folder = check_folders(config)
    return plan_shards(config, endpoints, shard_count, config_folder=folder, own_folder=own_folder, run_id=run_id)
