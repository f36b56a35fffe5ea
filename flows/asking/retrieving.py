"""Retrieval before the first question is asked: batch by batch, with a bar of its own."""

import threading
from collections.abc import Callable
from itertools import chain

from prefect.tasks import Task

from flows.asking.batch_window import TICK_SECONDS
from tasks.evaluation.errors import EvaluationError, UnfinishedBatch
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.context_batches import ContextBatch, ContextBatches
from tasks.evaluation.run.run import Run

ContextTask = Task[[ContextBatches, ContextBatch], JsonObject]


def retrieve_all(run: Run, task: ContextTask, while_waiting: Callable[[], None]) -> None:
    """Retrieve for all questions that are to be asked; do nothing without retrieval.

    Args:
        run: asks them afterwards.
        task: retrieves for a batch.
        while_waiting: called several times a second.
    """
    contexts = run.context_batches
    batches = contexts.list_open() if contexts else iter(())
    first = next(batches, None)
    if contexts is None or first is None:
        return
    run.progress.begin(0, len(run.ledger.questions), "Retrieving for questions")
    try:
        for batch in chain([first], batches):
            if run.stop_cause is not None:
                break
            outcome = _run_task(contexts, task, batch, while_waiting)
            if not contexts.accept(batch, outcome) and not isinstance(outcome, BaseException):
                outcome = _run_task(contexts, task.with_options(refresh_cache=True), batch, while_waiting)
                contexts.accept(batch, outcome)
            if isinstance(outcome, BaseException):
                contexts.note_failure(batch, outcome)
                if isinstance(outcome, EvaluationError) and not isinstance(outcome, UnfinishedBatch):
                    run.stop(outcome)
            run.progress.show(batch.positions.stop)
    finally:
        run.progress.end()


def _run_task(contexts: ContextBatches, task: ContextTask, batch: ContextBatch, while_waiting: Callable[[], None]) -> object:
    """Run the task; return what it returned, or the exception that it raised."""
    has_ended = threading.Event()
    future = task.submit(contexts, batch)
    future.add_done_callback(lambda _: has_ended.set())
    while not has_ended.wait(TICK_SECONDS):
        while_waiting()
    future.wait()  # it has ended, but without this call its state would be read from the server
    return future.result(raise_on_failure=False)
