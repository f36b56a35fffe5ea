"""How a run ended: what is left, why, and what the user can do about it."""

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.reporting.causes import Cause, describe_causes, find_causes, name_questions
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
    """Return why questions are left unscored: each cause with its count, the most frequent first."""
    return describe_causes(find_unscored_causes(run))


def list_unscored_lines(run: Run) -> list[str]:
    """Return a line for each cause that has left questions unscored, with their numbers."""
    return [
        f"⚠️ Not scored: {len(cause.positions):,} (questions {name_questions(cause.positions)}): {cause.message}"
        for cause in find_unscored_causes(run)
    ]


def find_unscored_causes(run: Run) -> list[Cause]:
    """Return what has left questions unscored, the most frequent cause first."""
    return find_causes(run.ledger, run.batches.failures, run.stop_cause)


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
