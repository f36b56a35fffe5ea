"""Where Prefect keeps the results of finished batches, and whether they have really arrived there.

A write that fails leaves Prefect's task run Completed, and says so in the log alone. A shard's answers may be on a disk that no
other machine sees, so it ends well only when its batches can be found in the storage.
"""

from pathlib import Path
from typing import ParamSpec, TypeVar

from prefect.results import ResultStore, get_result_store
from prefect.settings import get_current_settings
from prefect.tasks import Task

from flows.asking.batch_window import BatchTask
from flows.asking.retrieving import ContextTask
from tasks.evaluation.config.config import Config
from tasks.evaluation.run.run import Run
from tasks.evaluation.storage.layout import OWN_FOLDER, RESULTS_FOLDER
from tasks.retrieve_contexts import retrieve_contexts
from tasks.score_batch import score_batch

P = ParamSpec("P")
R = TypeVar("R")

# After this many failures no more writes are tried: each may take its client many seconds.
MOST_FAILURES = 3


def choose_storage(config: Config) -> BatchTask:
    """Return the scoring task, set to store its results where they belong."""
    return _store_where_set(score_batch, config)


def choose_context_storage(config: Config) -> ContextTask:
    """Return the task that retrieves, set likewise."""
    return _store_where_set(retrieve_contexts, config)


def _store_where_set(task: "Task[P, R]", config: Config) -> "Task[P, R]":
    """Return the task, set to store its results where they belong.

    That is where our settings say, else where Prefect's settings say, else in the checkpoint directory. Without checkpointing,
    it is Prefect's default.
    """
    results = get_current_settings().results
    processing = config.processing
    if processing.result_storage:
        is_path = processing.result_storage.startswith((".", "/"))
        storage = Path(processing.result_storage).resolve() if is_path else processing.result_storage
        return task.with_options(result_storage=storage)
    has_own = results.default_storage_block or "local_storage_path" in results.model_fields_set
    if has_own or not processing.enable_checkpointing:
        return task
    folder = Path(processing.checkpoint_directory, OWN_FOLDER, RESULTS_FOLDER).resolve()
    return task.with_options(result_storage=folder)


def store_missing(run: Run) -> str:
    """Write the finished batches of a shard to its `result_storage` that are not there; without both, do nothing.

    Returns:
        Why the shard has not ended well, with the number of batches first; empty if all are there.
    """
    processing = run.config.processing
    if not (processing.shard and processing.result_storage):
        return ""
    store = get_result_store().update_for_task(choose_storage(run.config))
    assert isinstance(store, ResultStore), "within a synchronous flow, it is no coroutine"
    batches, failures = list(run.batches.list_finished()), list[str]()
    for batch in batches:
        try:
            if not store.exists(batch.cache_key):
                store.write(run.batches.collect(batch), key=batch.cache_key)
        except Exception as failure:  # noqa: BLE001 - whatever the storage's own package raises
            failures.append(f"{type(failure).__name__}: {failure}")
            if len(failures) == MOST_FAILURES:
                break
    if not failures:
        return ""
    more = "or more " if len(failures) == MOST_FAILURES else ""
    return (
        f"{len(failures):,} {more}of {len(batches):,} finished batches are not in {processing.result_storage}: "
        f"{failures[0]:.200}. They are kept here: run the same command again to write them"
    )
