"""The task that scores one batch of questions."""

from tasks.batch_task import batch_task
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.run import Run


@batch_task
def score_batch(run: Run, batch: Batch) -> JsonObject:
    """Score the unfinished questions of the batch; return its result, with the records of all of them.

    Raises:
        UnfinishedBatch: some questions are unscored; raised so that the batch is not cached.
    """
    return run.score(batch)
