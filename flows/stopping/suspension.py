"""A pause in Prefect's UI while questions are asked: the run stops, saves, and leaves its process with its state Suspended.

Prefect learns of the pause in a thread of its own, and raises it wherever the flow calls a task or waits for one, and where a
task ends. Batches in flight would be cut off there: their answers unsaved, their task runs Running forever. The pause is
therefore held back until the run has stopped as it does on Cancel, and is raised then.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause

from flows.stopping.stop_requests import is_cancelling
from tasks.evaluation.errors import Stopped
from tasks.evaluation.run.report import report_tokens
from tasks.evaluation.run.run import Run


class Suspension:
    """The pause that was asked for, if one was.

    Args:
        context: of the flow run, as Prefect made it.
    """

    def __init__(self, context: FlowRunContext) -> None:
        self._request = context.flow_run_suspension_request
        self._is_passed_on = False

    @property
    def state(self) -> State | None:
        """Return the state of pause that the run has been given; None if it was not paused."""
        return self._request.get_state()

    def pass_on(self, run: Run) -> None:
        """Stop the run if it has been paused."""
        if self.state and not self._is_passed_on:
            self._is_passed_on = True
            run.progress.notify("Paused in Prefect's UI: saving what has arrived")
            run.stop(Stopped("the run was paused"))

    def conclude(self, run: Run) -> None:
        """Leave a paused run with its state as it is; return if it was not paused, or is now being cancelled.

        Raises:
            Pause: the run was paused.
        """
        state = self.state
        if state is None or is_cancelling():
            return
        done, total = len(run.ledger.results), len(run.ledger.questions)
        run.progress.notify(f"⚠️ Paused with {done:,} of {total:,} questions scored. {how_to_go_on(state)}")
        report_tokens(run)
        raise Pause(state=state)


@contextmanager
def hold_back_pause() -> Iterator[Suspension]:
    """Keep Prefect from raising a pause until the block is left; only a run of a deployment can be paused."""
    context = FlowRunContext.get()
    assert context, "called within a flow"
    suspension = Suspension(context)
    with context.model_copy(update={"flow_run_suspension_request": type(context.flow_run_suspension_request)()}):
        yield suspension


def how_to_go_on(state: State) -> str:
    """Return what continues a run in this state of pause: until Prefect's time limit Resume, afterwards Retry."""
    limit = state.state_details.pause_timeout
    if limit is None:
        return "Resume continues it"
    return f"Resume continues it until {limit.astimezone():%H:%M:%S}; then Prefect marks it as failed, and Retry continues it"
