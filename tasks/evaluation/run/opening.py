"""The only way to open an evaluation, and to close it with nothing left behind: no thread, no lock, no temporary file."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import find_folder
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.errors import before_asking
from tasks.evaluation.reporting.estimate import describe_costs, estimate_costs
from tasks.evaluation.reporting.progress import Log, Progress
from tasks.evaluation.resuming.housekeeping import remove_leftovers
from tasks.evaluation.retrieval.contexts import Contexts
from tasks.evaluation.retrieval.opening import Asking, open_retriever
from tasks.evaluation.run.budgets import describe_budget
from tasks.evaluation.run.factories import Factories
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.preparation import Preparation, find_endpoints, prepare
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.run.run import Run
from tasks.evaluation.run.start import Start, begin
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.layout import ANSWERS_FOLDER, LOCKS_FOLDER
from tasks.evaluation.storage.locks import Holder, lock_evaluation
from tasks.evaluation.storage.placed_spool import PlacedSpool


@contextmanager
def open_run(
    config: Config,
    *,
    config_file: str | None,
    run_id: str,
    keys: KeyReader,
    log: Log,
    factories: Factories = Factories(),  # noqa: B008 - frozen
    start: Start | None = None,
    holder: Holder = Holder(),  # noqa: B008 - frozen
) -> Iterator[Run]:
    """Open the evaluation that the settings describe, with everything that earlier runs know about it.

    Args:
        config: the settings.
        config_file: the file that they come from.
        run_id: the run's permanent id; a run that shares nothing with earlier runs still shares with its own retries.
        keys: reads the endpoints' keys.
        log: takes every line that the user sees, with its level.
        factories: make what reaches outside the run.
        start: what the command has read and started already; None: nothing.
        holder: who has the evaluation, for the message to whoever starts it a second time.

    Raises:
        UserMistake: something the user gave is wrong; nothing was asked.
    """
    with ExitStack() as stack:
        with before_asking():
            run = _enter_run(
                stack,
                config,
                config_file=config_file,
                run_id=run_id,
                keys=keys,
                progress=factories.make_progress(log, is_shown=config.processing.progress_bar),
                factories=factories,
                start=start,
                holder=holder,
            )
        yield run


@contextmanager
def open_ledger(preparation: Preparation, open_log: Callable[[], AnswerLog] | None = None) -> Iterator[Ledger]:
    """Open a ledger of the questions that knows nothing of them yet; at the end its log and its temporary files are closed.

    Args:
        preparation: what the run begins with.
        open_log: opens the answer log; None without checkpointing.

    Raises:
        StorageFailure: the log's folder cannot be made.
    """
    folder, count, processing = preparation.own_folder, len(preparation.roster), preparation.config.processing
    askings, source = count * processing.repeats, preparation.source
    with (
        closing(PlacedSpool(folder, askings)) as answers,
        closing(PlacedSpool(folder, askings if processing.repeats > 1 else 0)) as repeats,
        closing(PlacedSpool(folder, count)) as results,
    ):
        ledger = Ledger(
            preparation.roster,
            answers=answers,
            repeats=repeats,
            results=results,
            log=open_log() if open_log else None,
            contexts=Contexts(source.corpus, preparation.roster.questions, preparation.config.rag) if source else None,
            pricing=preparation.pricing,
            retry_refused=processing.retry_refused,
        )
        try:
            yield ledger
        finally:
            ledger.close_log()


def _enter_run(
    stack: ExitStack,
    config: Config,
    *,
    config_file: str | None,
    run_id: str,
    keys: KeyReader,
    progress: Progress,
    factories: Factories,
    start: Start | None,
    holder: Holder,
) -> Run:
    """Open the run; the stack closes it."""
    folder, notify = find_folder(config_file), progress.notify
    endpoints = find_endpoints(config, folder, keys)
    if start is None:
        start = stack.enter_context(begin(config, folder, check_folders(config), notify))
    own_folder, servers = start.own_folder, start.servers
    if servers:
        # Before the command closes them that has started them: the command may wait for Prefect meanwhile.
        stack.callback(servers.close)
    preparation = prepare(
        config, start.questions, endpoints, source=start.source, own_folder=own_folder, run_id=run_id, notify=notify
    )
    open_log = None
    if own_folder:
        # Entered before the ledger, whose log must be closed before the lock is given up.
        stack.enter_context(lock_evaluation(own_folder / LOCKS_FOLDER, preparation.roster.evaluation_id, holder))
        remove_leftovers(own_folder, Path(config.output.output_directory), time.time())
        writer = f"{factories.now():%Y%m%d_%H%M%S_%f}_{os.getpid()}"
        folder_of_answers, sync_at_once = own_folder / ANSWERS_FOLDER, config.processing.save_incremental
        open_log = partial(factories.make_log, folder_of_answers, writer, sync_at_once=sync_at_once)
    ledger = stack.enter_context(open_ledger(preparation, open_log))
    reuse_earlier(preparation, ledger, notify)
    if servers and ledger.open_count:
        servers.wait_until_healthy()
        endpoints = find_endpoints(config, folder, keys, servers.urls)
    loop = stack.enter_context(EventLoopThread())
    run = Run(preparation, ledger, endpoints, config_file=config_file, loop=loop, progress=progress, factories=factories)
    stack.callback(lambda: loop.run(run.close_clients()))
    if config.budget.limits_spending:
        costs = estimate_costs(ledger, endpoints[0].request, preparation.config.prompt, preparation.pricing)
        for line in [*describe_costs(costs), *describe_budget(run.budget, ledger, costs, has_grader=endpoints[1] is not None)]:
            notify(line)
    if preparation.source and ledger.open_asking_count > len(ledger.awaiting_grade()):
        asking = Asking(keys, loop, run.make_encoder)
        run.use_retriever(stack.enter_context(open_retriever(preparation.source, asking, notify)))
    return run
