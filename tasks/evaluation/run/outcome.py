"""How a run ended: what is left, why, and what the user can do about it."""

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.run.run import Run
from tasks.evaluation.scoring.records import is_refused


def raise_mistake(run: Run) -> None:
    """Raise the mistake in the settings that the first question has shown, if it has.

    Raises:
        UserMistake: the run was stopped by one.
    """
    if isinstance(run.stop_cause, UserMistake):
        raise run.stop_cause


def explain_unscored(run: Run) -> str:
    """Return why questions are left unscored: what stopped the run, else the first failure."""
    return str(run.stop_cause or next(iter(run.batches.failures.values()), "unknown"))


def explain_no_score(run: Run) -> str:
    """Return why a finished run has scored nothing: the error in the first question's record."""
    record = run.ledger.read_result(0)
    advice = "; fix the settings, or ask again with --retry-refused" if is_refused(record) else ""
    return f"{record.get('error')}{advice}"


def how_to_continue(run: Run) -> str:
    """Return how the user continues when questions are left; a run that shares nothing must be given its checkpoint's path."""
    if not run.config.processing.enable_checkpointing:
        return "Checkpointing is off, so nothing is kept: the next run asks everything again"
    if run.preparation.private_run_id:
        return f"What has arrived is kept: continue with --resume-from {run.saver.path}"
    return "What has arrived is kept: run the same command again to continue"
