"""Where Prefect keeps the results of finished batches, and whether they have really arrived there.

A write that fails leaves Prefect's task run Completed, and says so in the log alone. A shard's answers may be on a disk that no
other machine sees, so it ends well only when its batches can be found in the storage.
"""

from pathlib import Path

from prefect.blocks.core import Block, UnknownBlockType
from prefect.filesystems import WritableFileSystem
from prefect.results import ResultStore, get_result_store
from prefect.settings import get_current_settings

from flows.asking.batch_window import BatchTask
from flows.asking.retrieving import ContextTask
from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import ServerFailure, UserMistake
from tasks.evaluation.run.run import Run
from tasks.evaluation.storage.layout import OWN_FOLDER, RESULTS_FOLDER
from tasks.retrieve_contexts import retrieve_contexts
from tasks.score_batch import score_batch
from tasks.server_failures import SERVER_FAILURES

# After this many failures no more writes are tried: each may take its client many seconds.
MOST_FAILURES = 3
# For a client of S3. By botocore's defaults, each read and each write waits 10 to 17 seconds for a server that is down, and for
# minutes if it does not answer: with thousands of batches, that is hours. What a write loses is written at the end.
BOUNDED = {"connect_timeout": 3, "read_timeout": 20, "retries": {"total_max_attempts": 2}}
FORMS = (
    "Write a path that begins with / or ., or s3-bucket/NAME, a block on the Prefect server at PREFECT_API_URL. Without that "
    "variable, a run has a server of its own, which holds no blocks"
)


def choose_storage(config: Config) -> tuple[BatchTask, ContextTask]:
    """Return the tasks that score and that retrieve, set to store their results where they belong.

    That is where our settings say, else where Prefect's settings say, else in the checkpoint directory. Without checkpointing,
    it is Prefect's default.

    Raises:
        UserMistake: our settings name a block that cannot be used.
        ServerFailure: Prefect's server does not say what it holds.
    """
    results, processing = get_current_settings().results, config.processing
    has_own = results.default_storage_block or "local_storage_path" in results.model_fields_set
    if processing.result_storage:
        is_path = processing.result_storage.startswith((".", "/"))
        storage = Path(processing.result_storage).resolve() if is_path else load_storage(processing.result_storage)
    elif has_own or not processing.enable_checkpointing:
        return score_batch, retrieve_contexts
    else:
        storage = Path(processing.checkpoint_directory, OWN_FOLDER, RESULTS_FOLDER).resolve()
    return score_batch.with_options(result_storage=storage), retrieve_contexts.with_options(result_storage=storage)


def load_storage(slug: str) -> WritableFileSystem:
    """Return the block with this type and name; its client of S3 gives up soon, unless the block says otherwise.

    Raises:
        UserMistake: it cannot be used.
        ServerFailure: Prefect's server does not say what it holds.
    """
    if "/" not in slug:
        raise UserMistake(f"result_storage {slug} is no path and no block. {FORMS}")
    try:
        block = Block.load(slug)
    except UnknownBlockType as error:
        advice = ": call pip install -e '.[s3]'" if slug.startswith("s3-bucket/") else f": {error}"
        raise UserMistake(f"result_storage {slug} needs a package that is not installed here{advice}") from None
    except ValueError as error:
        raise UserMistake(f"result_storage {slug} cannot be used: {error}. {FORMS}") from None
    except SERVER_FAILURES as failure:
        raise ServerFailure(f"result_storage {slug} cannot be read from Prefect's server: {failure}") from failure
    if not isinstance(block, WritableFileSystem):
        raise UserMistake(f"result_storage {slug} cannot be used: a {type(block).__name__} keeps no files")
    bound_client(block)
    return block


def bound_client(block: object) -> None:
    """Set how long the block's client waits for S3, unless the block says so itself; leave other blocks as they are."""
    # Not by the classes of prefect-aws, which is not installed everywhere.
    parameters = getattr(getattr(block, "credentials", None), "aws_client_parameters", None)
    if parameters is not None:
        parameters.config = {**BOUNDED, **(parameters.config or {})}


def store_missing(run: Run, task: BatchTask) -> str:
    """Write the finished batches of a shard to its `result_storage` that are not there; without both, do nothing.

    Args:
        run: the run, after its end.
        task: the scoring task, as `choose_storage` returned it.

    Returns:
        Why the shard has not ended well, with the number of batches first; empty if all are there.
    """
    processing = run.config.processing
    if not (processing.shard and processing.result_storage):
        return ""
    store = get_result_store().update_for_task(task)
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
