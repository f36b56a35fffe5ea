"""Events by which Prefect's server knows that a run's process is alive, and that it has left in an orderly way.

Only the process of a killed machine or worker leaves without the second event, and an automation on the server
(`flows/serving/automations.py`) then marks the run as crashed. Prefect's own heartbeats cannot serve: they go on while a paused
run saves, and one that is dated just after the run's end looks like a new life.

A server that stood still for longer than the automation waits takes living runs for dead. The next sign finds the run Crashed
then, and puts it back to Running. If the run ends before that, its end is accepted all the same. Where the deployment limits
its runs, Prefect ends this one some minutes later, since its server gave the place away (`flows/stopping/lost_place.py`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Running

from flows.process.beside import beside
from tasks.flow_runs import is_of_deployment
from tasks.server_failures import SERVER_FAILURES

ALIVE, LEFT = "mcqa.flow-run.alive", "mcqa.flow-run.left"
EVERY_SECONDS = 30.0
LIVES = "The run was taken for crashed, but its process is alive and goes on."
# When the server is asked again after it has not answered.
RETRY_SECONDS = 5.0
# How long a run that ends waits for a server that does not answer.
PATIENCE_SECONDS = 10.0


@contextmanager
def signs_of_life() -> Iterator[None]:
    """Emit a sign of life every 30 seconds until the block is left, and the last event then.

    A run without a deployment gives none: it could not be retried.
    """
    if not is_of_deployment():
        yield
        return
    run_id = UUID(flow_run.id)
    try:
        with beside(partial(_emit_until, run_id), name="signs-of-life", patience_seconds=PATIENCE_SECONDS):
            yield
    finally:
        _emit(LEFT, run_id)


def _emit_until(run_id: UUID, has_ended: threading.Event) -> None:
    """Emit signs of life as long as the server says that the run is running.

    A paused or cancelled run that still saves gives no more: they would come after its last event.
    """
    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
        while not has_ended.is_set():
            state = _read_state(client, run_id)
            if state and not has_ended.is_set() and (state.is_running() or contradict(client, run_id, state)):
                _emit(ALIVE, run_id)
            has_ended.wait(EVERY_SECONDS if state else RETRY_SECONDS)


def _read_state(client: SyncPrefectClient, run_id: UUID) -> State | None:
    """Return the run's state on the server; None if the server does not answer."""
    try:
        return client.read_flow_run(run_id).state
    except SERVER_FAILURES:
        return None


def contradict(client: SyncPrefectClient, run_id: UUID, state: State) -> bool:
    """Put a run that the server takes for dead back to Running, since its process lives; return True if that was needed.

    Args:
        client: asks the server.
        run_id: the run.
        state: its state on the server.
    """
    if not state.is_crashed():
        return False
    try:
        client.set_flow_run_state(run_id, Running(message=LIVES), force=True)
    except SERVER_FAILURES:
        return False
    get_run_logger().warning("%s The server's reason was: %s", LIVES, state.message or "none")
    return True


def _emit(event: str, run_id: UUID) -> None:
    emit_event(event, resource={"prefect.resource.id": f"prefect.flow-run.{run_id}"})
