"""Where a finished run stands in the history of its evaluation, as far as the results in its folder tell."""

from pathlib import Path

from tasks.evaluation.history.against import Standing, find_standing
from tasks.evaluation.run.run import Run


def hold_against_history(run: Run, results: Path) -> Standing | None:
    """Return how the run stands beside earlier ones, and show it; None if that cannot be told, which fails no run.

    Args:
        run: the run, all of whose results are written.
        results: its results file.
    """
    settings = run.config.history
    try:
        standing = find_standing(results, baseline_runs=settings.baseline_runs, alarm_runs=settings.alarm_runs)
    except Exception as failure:  # noqa: BLE001 - whatever other runs' files hold
        run.progress.notify(f"⚠️ Not compared with earlier runs: {failure or type(failure).__name__}")
        return None
    is_recurring = not run.config.processing.auto_resume
    if standing and (standing.previous or standing.baseline or is_recurring):
        for sentence in standing.sentences:
            is_alarm = standing.has_dropped and standing.baseline and sentence == standing.baseline.sentence
            run.progress.notify(f"⚠️ {sentence}" if is_alarm else f"   {sentence}")
    return standing
