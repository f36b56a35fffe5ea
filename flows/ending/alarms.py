"""What a run tells beyond its state: the events that automations wait for, and the alarm that its accuracy has dropped."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.exceptions import Pause

from flows.ending.recurrence import is_scheduled
from tasks.audience import has_audience
from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import EvaluationError
from tasks.evaluation.run.run import Run
from tasks.events import announce


def is_recurring(config: Config) -> bool:
    """Return True if a drop is an alarm: for a run that a schedule has started, and for one that asks everything again.

    The latter is what recurring evaluations are made for, whoever starts them: a schedule, a person, an automation, cron.
    """
    return is_scheduled() or not config.processing.auto_resume


@contextmanager
def announced(run: Run) -> Iterator[None]:
    """Send the run's events when the block is left; none for a run that is suspended, which has not ended, or for a shard.

    Where nobody can have automations, none are sent.
    """
    if not has_audience() or run.config.processing.shard:
        yield
        return
    try:
        yield
    except Pause:
        raise
    except BaseException as error:
        known = isinstance(error, EvaluationError)
        announce(run, is_recurring=is_recurring(run.config), failure=str(error) if known else type(error).__name__)
        raise
    announce(run, is_recurring=is_recurring(run.config))


def find_alarm(run: Run) -> str:
    """Return the alarm if the run recurs and has dropped below its baseline; else an empty text."""
    baseline = run.standing.baseline if run.standing else None
    return baseline.sentence if baseline and baseline.is_drop and is_recurring(run.config) else ""
