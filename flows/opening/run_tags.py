"""Tags by which runs are found again in Prefect's UI.

`model:…`, `questions:…`, and where there is one `grader:…`, `shard:…`, `suite:…`.
"""

from collections.abc import Iterable
from pathlib import Path

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flows.process.shared_process import find_shared
from tasks.audience import has_audience
from tasks.evaluation.config.config import Config
from tasks.server_failures import SERVER_FAILURES


def tag_run(config: Config) -> None:
    """Give the run its tags, besides those that it has, unless nobody will see them.

    If the server does not take them, the log says so.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not has_audience():
        return
    shared = find_shared()
    tags = add_tags([*run.tags, *([f"suite:{shared.group}"] if shared else [])], config)
    if tags == [*run.tags]:
        return
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}), get_client(sync_client=True) as client:
            client.update_flow_run(run.id, tags=tags)
    except SERVER_FAILURES as failure:
        get_run_logger().warning("Prefect's server does not take the run's tags: %s", failure)


def add_tags(present: Iterable[str], config: Config) -> list[str]:
    """Return the tags that the run has, and behind them those that it lacks."""
    grader, shard = config.model.grader_shortname, config.processing.shard
    tags = [
        f"model:{config.model.generator_settings.model}",
        f"questions:{Path(config.questions_file).stem}",
        *([f"grader:{grader}"] if grader else []),
        *([f"shard:{shard}"] if shard else []),
    ]
    return [*dict.fromkeys([*present, *tags])]
