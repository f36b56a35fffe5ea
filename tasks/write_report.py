"""The task that writes and shows a run's results."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import Artifacts
from tasks.evaluation.run.report import report
from tasks.evaluation.run.run import Run


@task(task_run_name="report", cache_policy=NO_CACHE, persist_result=False)
def write_report(run: Run, artifacts: Artifacts) -> dict[str, str]:
    """Write the results' files, print the accuracy and show the results in the UI; return the files' paths by kind.

    Raises:
        StorageFailure: they cannot be written.
    """
    files: dict[str, Path] = {}
    try:
        report(run, files)
    finally:
        artifacts.show_report(files)
    artifacts.show_history(files)
    return {kind: str(path) for kind, path in files.items()}
