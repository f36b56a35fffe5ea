"""The worker of `mcqa serve` holds a run back that was cancelled a moment ago; it can be cancelled again meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType

from flows.serving.worker import hold_back

pytestmark = pytest.mark.usefixtures("prefect_server")
AN_HOUR, THE_PAST = timedelta(hours=1), timedelta(hours=-1)


@flow
def nothing() -> None:
    """Do nothing; the run never begins."""


async def hold_run_back(kind: StateType, duration: timedelta) -> tuple[bool, str | None, str | None]:
    """Return whether a run in a state of this kind may begin after that time, and the name and message of its state then."""
    async with get_client() as client:
        run = await client.create_flow_run(nothing, state=State(type=StateType.PENDING))
        await client.set_flow_run_state(run.id, State(type=kind), force=True)
        may_begin = await hold_back(client, run.id, datetime.now(UTC) + duration)
        state = (await client.read_flow_run(run.id)).state
        assert state
        return may_begin, state.name, state.message


def test_a_run_that_is_held_back_can_be_cancelled() -> None:
    """It is Cancelled at once, and does not begin."""
    outcome = asyncio.run(hold_run_back(StateType.CANCELLING, AN_HOUR))
    assert outcome == (False, "Cancelled", "The retry had not begun")


def test_a_run_that_has_ended_meanwhile_does_not_begin() -> None:
    """Somebody has set another state, such as a late report of the cancellation: that state stays."""
    assert asyncio.run(hold_run_back(StateType.CRASHED, AN_HOUR)) == (False, "Crashed", None)


def test_a_run_begins_when_its_time_has_come() -> None:
    """It is left as it is."""
    assert asyncio.run(hold_run_back(StateType.PENDING, THE_PAST)) == (True, "Pending", None)
