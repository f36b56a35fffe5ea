"""A run whose process lives is not left as crashed, whatever the server has concluded while it stood still."""

from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.runtime import flow_run

from flows.opening.signs_of_life import contradict

pytestmark = pytest.mark.usefixtures("prefect_server")


@flow
def be_taken_for(kind: StateType) -> tuple[bool, str, str | None]:
    """Receive a state of this kind from somebody else while running.

    Return whether that was contradicted, and the kind and message of the state then.
    """
    with get_client(sync_client=True) as client:
        run_id = UUID(flow_run.id)
        client.set_flow_run_state(run_id, State(type=kind), force=True)
        given = client.read_flow_run(run_id).state
        assert given
        is_contradicted = contradict(client, run_id, given)
        found = client.read_flow_run(run_id).state
        assert found
        return is_contradicted, found.type.value, found.message


def test_a_living_run_that_is_taken_for_crashed_is_running_again() -> None:
    """Its message says why."""
    message = "The run was taken for crashed, but its process is alive and goes on."
    assert be_taken_for(StateType.CRASHED) == (True, "RUNNING", message)


@pytest.mark.parametrize("kind", [StateType.CANCELLING, StateType.COMPLETED])
def test_other_states_are_nobodys_mistake(kind: StateType) -> None:
    """Somebody cancels it, or it has ended."""
    assert be_taken_for(kind) == (False, kind.value, None)
