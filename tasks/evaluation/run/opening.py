"""The only way into an evaluation, and out of it: with nothing left open behind, no thread, no lock, no temporary file."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.errors import before_asking
from tasks.evaluation.local_servers.local_server import start_server
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.resuming.housekeeping import remove_leftovers
from tasks.evaluation.run.preparation import (
    check_output_folder,
    find_endpoints,
    find_log_folder,
    make_own_folder,
    prepare,
)
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.run import Run
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.layout import ANSWERS_FOLDER, LOCKS_FOLDER
from tasks.evaluation.storage.locks import lock_evaluation


@contextmanager
def open_run(
    config: Config, *, config_file: str | None, run_id: str, keys: KeyReader, log: Callable[[str], None]
) -> Iterator[Run]:
    """Open the evaluation that the settings describe, with all that earlier runs know of it.

    Args:
        config: the settings.
        config_file: the file that they come from.
        run_id: the run's name for ever; a run that shares nothing with earlier ones shares with its own retries.
        keys: reads the endpoints' keys.
        log: takes every line that the user sees.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    with ExitStack() as stack:
        progress = Progress(log, is_shown=config.processing.progress_bar)
        with before_asking():
            run = _enter_run(stack, config, config_file=config_file, run_id=run_id, keys=keys, progress=progress)
        yield run


def _enter_run(
    stack: ExitStack, config: Config, *, config_file: str | None, run_id: str, keys: KeyReader, progress: Progress
) -> Run:
    """Open the run; the stack closes it."""
    folder = Path(config_file).parent if config_file else Path()
    own_folder = make_own_folder(config)
    server = start_server(config, find_log_folder(own_folder), progress.notify)
    if server:
        stack.callback(server.close)
    endpoints = find_endpoints(config, folder, keys)
    check_output_folder(config)
    preparation = prepare(config, endpoints, own_folder=own_folder, run_id=run_id, notify=progress.notify)
    ledger = preparation.ledger
    with ExitStack() as on_failure:
        # Closed before the lock is given up, and also when there is none to be had.
        on_failure.callback(ledger.close)
        if own_folder:
            stack.enter_context(lock_evaluation(own_folder / LOCKS_FOLDER, ledger.evaluation_id))
            remove_leftovers(own_folder, Path(config.output.output_directory), time.time())
            ledger.log = _open_log(own_folder, sync_at_once=config.processing.save_incremental)
            ledger.waits_for_sync = config.processing.save_incremental
        stack.push(on_failure.pop_all())
    reuse_earlier(preparation, progress.notify)
    if server and len(ledger.results) < len(ledger.questions):
        server.wait_until_healthy()
        endpoints = find_endpoints(config, folder, keys, server.url)
    loop = stack.enter_context(EventLoopThread())
    run = Run(preparation, endpoints, config_file=config_file, loop=loop, progress=progress)
    stack.callback(lambda: loop.run(run.close_clients()))
    return run


def _open_log(own_folder: Path, *, sync_at_once: bool) -> AnswerLog:
    writer = f"{datetime.now():%Y%m%d_%H%M%S_%f}_{os.getpid()}"
    return AnswerLog(own_folder / ANSWERS_FOLDER, writer, sync_at_once=sync_at_once)
