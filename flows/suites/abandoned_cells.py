"""The end of cells that a killed process has left Running: nobody else would ever end their runs."""

from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Crashed

from flows.opening.abandoned_tasks import ACTIVE
from tasks.flow_runs import is_of_deployment
from tasks.server_failures import SERVER_FAILURES

MESSAGE = "The process of this run ended without it. A later run of the same cell continues it."


def end_abandoned_cells() -> None:
    """End the runs of cells that earlier processes of a retried or resumed suite have left, before it starts any.

    Those on workers are runs of a deployment, and go on. If the server fails, all are left to the next retry.
    """
    if not is_of_deployment():
        return
    left = FlowRunFilter(
        parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[UUID(flow_run.id)]),
        deployment_id=FlowRunFilterDeploymentId(is_null_=True),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=ACTIVE)),
    )
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 2}), get_client(sync_client=True) as client:
            for run in client.read_flow_runs(flow_run_filter=left):
                client.set_flow_run_state(run.id, Crashed(message=MESSAGE), force=True)
    except SERVER_FAILURES as failure:
        get_run_logger().debug("Runs of cells of an earlier process stay as they are: %s", failure)
