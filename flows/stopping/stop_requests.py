"""Signals while questions are asked: the first ends the run in an orderly way, a second ends the process at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run
from prefect.states import Cancelled, Crashed

from flows.process.end_signals import install_handlers
from tasks.evaluation.errors import Stopped
from tasks.evaluation.run import outcome
from tasks.evaluation.run.report import report_tokens
from tasks.evaluation.run.run import Run
from tasks.flow_runs import RETRY_ASKS, is_of_deployment
from tasks.server_failures import SERVER_FAILURES


class StopRequest:
    """The signal that asked the run to stop, if one did."""

    def __init__(self) -> None:
        self._signal: signal.Signals | None = None
        self._is_passed_on = False

    def receive(self, number: int, _: FrameType | None) -> None:
        """Note the first signal; on a second one end the process. The answer log holds every answer that has arrived."""
        if self._signal is not None:
            os._exit(128 + number)
        self._signal = signal.Signals(number)

    @property
    def is_received(self) -> bool:
        """Return True if a signal has been received."""
        return self._signal is not None

    def pass_on(self, run: Run) -> None:
        """Stop the run if a signal has been received."""
        if self._signal is not None and not self._is_passed_on:
            self._is_passed_on = True
            run.progress.notify(f"Stopping on {self._signal.name}: saving what has arrived; once more stops at once")
            run.stop(Stopped(f"{self._signal.name} was received"))

    def conclude(self, run: Run) -> State[None] | None:
        """End the flow of a stopped run; return None if no signal was received.

        A deployment's run ends as Cancelled if that was asked for in the UI, else as Crashed; a command's ends by the signal.

        Raises:
            KeyboardInterrupt: the signal was SIGINT.
            TerminationSignal: it was another signal.
        """
        if self._signal is None:
            return None
        done, total = len(run.ledger.results), len(run.ledger.questions)
        run.progress.notify(f"⚠️ Stopped with {done:,} of {total:,} questions scored. {how_to_continue(run)}")
        report_tokens(run)
        if is_of_deployment():
            end = Cancelled if is_cancelling() else Crashed
            return end(message=f"{done:,} of {total:,} scored. {how_to_continue(run)}")
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise TerminationSignal(signal=self._signal)


def how_to_continue(run: Run) -> str:
    """Return how the user continues when questions are left, in the UI or in the shell."""
    return RETRY_ASKS if is_of_deployment() else outcome.how_to_continue(run)


def is_cancelling() -> bool:
    """Return True if the run is being cancelled. Prefect's server is asked, because the signal is the same in any case."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(UUID(flow_run.id)).state
    except SERVER_FAILURES:
        return False
    return state is not None and state.type == StateType.CANCELLING


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Receive the signals that end a process until the block is left; in a thread of a larger program, receive none."""
    request = StopRequest()
    try:
        before = install_handlers(request.receive)
    except ValueError:
        before = {}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
