"""The task that writes what a run came to."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.evaluation.run import Run


@task(cache_policy=NO_CACHE, persist_result=False)
def write_report(run: Run) -> dict[str, str]:
    """Write the results' files and say the accuracy; give the files' paths by kind.

    Raises:
        StorageFailure: they cannot be written.
    """
    return {kind: str(path) for kind, path in run.report().items()}
