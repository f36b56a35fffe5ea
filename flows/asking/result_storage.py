"""Where Prefect keeps the results of finished batches."""

from pathlib import Path

from prefect.settings import get_current_settings

from flows.asking.batch_window import BatchTask
from tasks.evaluation.config.config import Config
from tasks.evaluation.storage.layout import OWN_FOLDER, RESULTS_FOLDER
from tasks.score_batch import score_batch


def choose_storage(config: Config) -> BatchTask:
    """Return the scoring task, set to store its results where they belong.

    That is where our settings say, else where Prefect's settings say, else in the checkpoint directory. Without checkpointing,
    it is Prefect's default.
    """
    results = get_current_settings().results
    processing = config.processing
    if processing.result_storage:
        is_path = processing.result_storage.startswith((".", "/"))
        storage = Path(processing.result_storage).resolve() if is_path else processing.result_storage
        return score_batch.with_options(result_storage=storage)
    has_own = results.default_storage_block or "local_storage_path" in results.model_fields_set
    if has_own or not processing.enable_checkpointing:
        return score_batch
    folder = Path(processing.checkpoint_directory, OWN_FOLDER, RESULTS_FOLDER).resolve()
    return score_batch.with_options(result_storage=folder)
