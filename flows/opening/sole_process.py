"""One process at a time works on a flow run: a run that is resumed or retried at once waits for its earlier process.

Prefect starts the next process as soon as the user wants it, while the one before may still be saving, with answers in flight.

Prefect also lets a process begin so late that its run was taken for dead and retried. Where the retry's process goes on, the
late one ends, and leaves the run's state to the other.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import Abort

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import HeldByOther, before_asking
from tasks.evaluation.run.folders import make_own_folder
from tasks.evaluation.storage.layout import LOCKS_FOLDER
from tasks.evaluation.storage.locks import lock_run


@contextmanager
def sole_process(config: Config, run_id: str, notify: Callable[[str], None]) -> Iterator[None]:
    """Hold the run until the block is left; first wait for its earlier process to end.

    Without checkpointing there is nothing that two processes could share, and no lock.

    Raises:
        UserMistake: the earlier process does not end, or nothing can be written to the checkpoint directory.
        Abort: the earlier process does not end, and Prefect already had the run as Running by it: this one began too late.
    """
    own_folder = make_own_folder(config)
    if own_folder is None:
        yield
        return
    with ExitStack() as stack:
        try:
            with before_asking():
                stack.enter_context(lock_run(own_folder / LOCKS_FOLDER, run_id, notify))
        except HeldByOther:
            if was_begun_twice(_read_states(run_id)):
                notify("A retry's process goes on with this run, so this process ends")
                raise Abort("another process has the run") from None
            raise
        yield


def was_begun_twice(states: Sequence[State]) -> bool:
    """Return True if the run was Running already when it was last set to Running."""
    kinds = [state.type for state in sorted(states, key=lambda state: state.timestamp)]
    return kinds[-2:] == [StateType.RUNNING] * 2


def _read_states(run_id: str) -> list[State]:
    """Return all states that the run has been in."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run_states(UUID(run_id))
