"""The task that scores one batch of questions."""

from typing import Any

from prefect import task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.runtime import task_run

from tasks.evaluation.errors import EvaluationError
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.run import Run


def name_task_run() -> str:
    """Return the batch's range of questions."""
    return str(task_run.parameters["batch"])


def key_by_content(_: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Return the batch's cache key, made of its questions' score ids."""
    key: str = parameters["batch"].cache_key
    return key


def is_unexpected(_: object, __: TaskRun, state: State[JsonObject]) -> bool:
    """Return True if a failure is a bug, not an endpoint's: failed requests are repeated within the task, runs by Retry."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, EvaluationError)


@task(
    task_run_name=name_task_run,
    cache_policy=CachePolicy.from_cache_key_fn(key_by_content),
    persist_result=True,
    result_serializer="json",
    cache_result_in_memory=False,
    retries=1,
    retry_condition_fn=is_unexpected,
)
def score_batch(run: Run, batch: Batch) -> JsonObject:
    """Score the unfinished questions of the batch; return its result, with the records of all of them.

    Raises:
        UnfinishedBatch: some questions are unscored; raised so that the batch is not cached.
    """
    return run.score(batch)
