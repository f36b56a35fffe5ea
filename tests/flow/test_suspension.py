"""A pause in Prefect's UI is held back while the run stops and saves, and only then ends its process."""

from datetime import UTC, datetime

import pytest
from prefect import flow, task
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.states import Suspended

from flows.stopping.suspension import hold_back_pause, how_to_go_on


@task
def score() -> str:
    return "scored"


@flow
def pause_while_scoring() -> str:
    """Score once while a pause is held back, and once afterwards."""
    context = FlowRunContext.get()
    assert context
    with hold_back_pause():
        context.flow_run_suspension_request.mark_requested(Suspended())
        result = score.submit().result()
    with pytest.raises(Pause):
        score()
    context.flow_run_suspension_request.mark_requested(None)  # type: ignore[arg-type]  # so that this flow can return
    return result


def test_a_pause_is_held_back_until_the_run_has_stopped(prefect_server: str) -> None:
    """Prefect raises it at each task's beginning and end, which would cut off batches in flight."""
    assert pause_while_scoring() == "scored"


def test_the_user_reads_until_when_resume_helps() -> None:
    """After that time Prefect marks the run as failed, whatever its dialog says."""
    limit = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
    told = how_to_go_on(Suspended(pause_expiration_time=limit))
    assert (
        told
        == f"Resume continues it until {limit.astimezone():%H:%M:%S}; then Prefect marks it as failed, and Retry continues it"
    )


def test_a_pause_without_limit_waits_for_resume() -> None:
    """As one that was asked for through the API may be."""
    assert how_to_go_on(Suspended()) == "Resume continues it"
