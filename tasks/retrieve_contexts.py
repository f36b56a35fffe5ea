"""The task that retrieves what is put before the questions of a batch."""

from tasks.batch_task import batch_task
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.context_batches import ContextBatch, ContextBatches


@batch_task
def retrieve_contexts(contexts: ContextBatches, batch: ContextBatch) -> JsonObject:
    """Retrieve for the questions of the batch; return where the chunks lie, and their scores.

    Raises:
        UnfinishedBatch: some questions could not be searched for; raised so that the batch is not cached.
    """
    return contexts.retrieve(batch)
