"""The end of task runs that a killed process has left Running: nobody else would ever end them.

They are ended beside the scoring when the run has been retried or resumed, 16 ms each. There can be many: when very many task
runs end at once, Prefect's server misses some of the ends.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import StateType, TaskRun
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Crashed

from flows.process.beside import beside
from tasks.flow_runs import is_of_deployment
from tasks.server_failures import SERVER_FAILURES

MESSAGE = "The process of this task run ended without it. Its questions are scored by a later task run of the same name."
ACTIVE = [StateType.PENDING, StateType.RUNNING, StateType.SCHEDULED]
# Prefect's server records the last task runs of a killed process with some delay.
DELAY_SECONDS = 10.0
# How long the end of a run may be held up.
PATIENCE_SECONDS = 30.0
# The most that the server gives at once.
PAGE = 200


@contextmanager
def end_abandoned_tasks() -> Iterator[None]:
    """End the task runs that earlier processes of a retried or resumed run have left, while the block goes on."""
    if not is_of_deployment():
        yield
        return
    work = partial(_end_later, UUID(flow_run.id), datetime.now(UTC))
    with beside(work, name="abandoned", patience_seconds=PATIENCE_SECONDS):
        yield


def _end_later(run_id: UUID, began_at: datetime, has_ended: threading.Event) -> None:
    """End them after the delay, or when the run has ended; if the server fails, leave the rest to the next retry."""
    has_ended.wait(DELAY_SECONDS)
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}), get_client(sync_client=True) as client:
        try:
            abandoned = list_abandoned(client, run_id, began_at)
            for task_run in abandoned:
                client.set_task_run_state(task_run.id, Crashed(message=MESSAGE), force=True)
        except SERVER_FAILURES as failure:
            get_run_logger().debug("Task runs of an earlier process stay as they are: %s", failure)
            return
    if abandoned:
        get_run_logger().info(
            "Task runs that an earlier process had left Running, and that are now Crashed: %d", len(abandoned)
        )


def list_abandoned(client: SyncPrefectClient, run_id: UUID, began_at: datetime) -> list[TaskRun]:
    """Return the run's task runs that have not ended, and were made before that time."""
    flow_runs = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    active = TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=ACTIVE)))
    found: list[TaskRun] = []
    while page := client.read_task_runs(flow_run_filter=flow_runs, task_run_filter=active, limit=PAGE, offset=len(found)):
        found += page
    return [each for each in found if each.expected_start_time and each.expected_start_time < began_at]
