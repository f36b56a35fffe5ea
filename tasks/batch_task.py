"""What the tasks for batches of questions have in common: their result is cached by what is in the batch."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import CachePolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.runtime import task_run
from prefect.tasks import Task

from tasks.evaluation.errors import EvaluationError

P = ParamSpec("P")
R = TypeVar("R")


def batch_task(function: Callable[P, R]) -> Task[P, R]:
    """Make a task of a function, one of whose parameters is a `batch`."""
    return task(
        task_run_name=name_task_run,
        cache_policy=CachePolicy.from_cache_key_fn(key_by_content),
        persist_result=True,
        result_serializer="json",
        cache_result_in_memory=False,
        retries=1,
        retry_condition_fn=is_unexpected,
    )(function)


def name_task_run() -> str:
    """Return the batch's range of questions."""
    return str(task_run.parameters["batch"])


def key_by_content(_: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Return the batch's cache key, made of what is in it."""
    key: str = parameters["batch"].cache_key
    return key


def is_unexpected(_: object, __: TaskRun, state: State[Any]) -> bool:
    """Return True if a failure is a bug, not an endpoint's: failed requests are repeated within the task, runs by Retry."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, EvaluationError)
