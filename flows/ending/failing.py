"""How a run fails: one line in its log says why and what to do, and its state says why, in the words of whoever reads it."""

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed

from tasks.evaluation.errors import EvaluationError
from tasks.evaluation.run.outcome import list_unscored_lines
from tasks.evaluation.run.run import Run
from tasks.ui_words import choose_words


def fail(message: str, *, advice: str = "", error: EvaluationError | None = None) -> State[None]:
    """Log why the run fails, as its one line at the level ERROR; return the state in which it ends.

    Args:
        message: the reason, for the state too. The UI cuts it off, so what matters stands first.
        advice: what the user can do, unless the message says it.
        error: what the command takes its exit code from.
    """
    words = choose_words()
    get_run_logger().error(words(f"{message}. {advice}" if advice else message))
    return Failed(message=words(message), data=error)


def log_unscored(run: Run) -> None:
    """Log for each cause how many questions it has left unscored, and which."""
    logger, words = get_run_logger(), choose_words()
    for line in list_unscored_lines(run):
        logger.warning(words(line))
