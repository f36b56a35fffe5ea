"""The task that retrieves what is put before the questions of a batch."""

from prefect import task
from prefect.cache_policies import CachePolicy

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.context_batches import ContextBatches
from tasks.score_batch import is_unexpected, key_by_content, name_task_run


@task(
    task_run_name=name_task_run,
    cache_policy=CachePolicy.from_cache_key_fn(key_by_content),
    persist_result=True,
    result_serializer="json",
    cache_result_in_memory=False,
    retries=1,
    retry_condition_fn=is_unexpected,
)
def retrieve_contexts(contexts: ContextBatches, batch: Batch) -> JsonObject:
    """Retrieve for the questions of the batch; return where the chunks lie, and their scores.

    Raises:
        UnfinishedBatch: some questions could not be searched for; raised so that the batch is not cached.
    """
    return contexts.retrieve(batch)
