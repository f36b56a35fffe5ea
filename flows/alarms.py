"""What a run tells beyond its state: the events that automations wait for, and the alarm that its accuracy has dropped."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import EvaluationError
from tasks.evaluation.run.run import Run
from tasks.events import announce


def is_recurring(config: Config) -> bool:
    """Return True if a drop is an alarm: for a run that a schedule has started, and for one that asks everything again.

    The latter is what recurring evaluations are made for, whoever starts them: a schedule, a person, an automation, cron.
    """
    context = FlowRunContext.get()
    is_scheduled = bool(context and context.flow_run and context.flow_run.auto_scheduled)
    return is_scheduled or not config.processing.auto_resume


@contextmanager
def announced(run: Run) -> Iterator[None]:
    """Send the run's events when the block is left; none for a run that is suspended, which has not ended."""
    try:
        yield
    except Pause:
        raise
    except BaseException as error:
        known = isinstance(error, EvaluationError)
        announce(run, is_recurring=is_recurring(run.config), failure=str(error) if known else type(error).__name__)
        raise
    announce(run, is_recurring=is_recurring(run.config))


def raise_alarm(run: Run, state: State[None]) -> State[None]:
    """Return the state, whose message begins with the alarm if a recurring run has dropped below its baseline."""
    baseline = run.standing.baseline if run.standing else None
    if baseline is None or not baseline.is_drop or not is_recurring(run.config):
        return state
    return state.model_copy(update={"message": f"{baseline.sentence}. {state.message}"})
