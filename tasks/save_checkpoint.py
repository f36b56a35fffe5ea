"""The task that writes the finished questions to the documented checkpoint file."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import Artifacts
from tasks.evaluation.run.run import Run


@task(task_run_name="checkpoint", cache_policy=NO_CACHE, persist_result=False)
def save_checkpoint(run: Run, artifacts: Artifacts) -> str | None:
    """Write the whole checkpoint if there is anything new, and show the run's progress; return the path of what was written.

    Raises:
        StorageFailure: it cannot be written; the earlier checkpoint is still there.
    """
    path = run.saver.save()
    artifacts.show_progress()
    return str(path) if path else None
