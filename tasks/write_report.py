"""The task that writes what a run came to."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import Artifacts
from tasks.evaluation.run.report import report
from tasks.evaluation.run.run import Run


@task(task_run_name="report", cache_policy=NO_CACHE, persist_result=False)
def write_report(run: Run, artifacts: Artifacts) -> dict[str, str]:
    """Write the results' files, say the accuracy and show what the run came to; give the files' paths by kind.

    Raises:
        StorageFailure: they cannot be written.
    """
    files = report(run)
    artifacts.show_report(files)
    return {kind: str(path) for kind, path in files.items()}
