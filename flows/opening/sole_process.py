"""One process at a time works on a flow run: a run that is resumed or retried at once waits for its earlier process.

Prefect starts the next process as soon as the user wants it, while the one before may still be saving, with answers in flight.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import before_asking
from tasks.evaluation.run.folders import make_own_folder
from tasks.evaluation.storage.layout import LOCKS_FOLDER
from tasks.evaluation.storage.locks import lock_run


@contextmanager
def sole_process(config: Config, run_id: str, notify: Callable[[str], None]) -> Iterator[None]:
    """Hold the run until the block is left; first wait for its earlier process to end.

    Without checkpointing there is nothing that two processes could share, and no lock.

    Raises:
        UserMistake: the earlier process does not end, or nothing can be written to the checkpoint directory.
    """
    own_folder = make_own_folder(config)
    if own_folder is None:
        yield
        return
    with ExitStack() as stack:
        with before_asking():
            stack.enter_context(lock_run(own_folder / LOCKS_FOLDER, run_id, notify))
        yield
