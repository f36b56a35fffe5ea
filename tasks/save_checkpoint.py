"""The task that mirrors the finished questions into the documented checkpoint file."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.evaluation.run import Run


@task(cache_policy=NO_CACHE, persist_result=False)
def save_checkpoint(run: Run) -> str | None:
    """Write the checkpoint whole, if there is anything new; give its path.

    Raises:
        StorageFailure: it cannot be written; what was visible before still is.
    """
    path = run.save()
    return str(path) if path else None
