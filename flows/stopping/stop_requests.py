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
from flows.process.shared_process import Halt, find_shared
from tasks.evaluation.errors import Stopped
from tasks.evaluation.run import outcome
from tasks.evaluation.run.report import report_tokens
from tasks.evaluation.run.run import Run
from tasks.flow_runs import RETRY_ASKS, belongs_to_deployment, is_of_deployment
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

    @property
    def announcement(self) -> str:
        """Return the line that says that everything stops; empty if no signal has been received."""
        if self._signal is None:
            return ""
        return f"Stopping on {self._signal.name}: saving what has arrived; once more stops at once"

    def pass_on(self, run: Run) -> None:
        """Stop the run if a signal has been received."""
        if self._signal is not None and not self._is_passed_on:
            self._is_passed_on = True
            run.progress.notify(self.announcement)
            run.stop(Stopped(f"{self._signal.name} was received"))

    def conclude(self, run: Run) -> State[None] | None:
        """End the flow of a stopped run; return None if no signal was received.

        Raises:
            KeyboardInterrupt: the signal was SIGINT.
            TerminationSignal: it was another signal.
        """
        return self.end(_tell_stopped(run)) if self.is_received else None

    def end(self, message: str) -> State[None]:
        """End the flow after a signal.

        A deployment's run ends as Cancelled if that was asked for in the UI, else as Crashed; a command's ends by the signal.

        Args:
            message: says how far it is, for its state.

        Raises:
            KeyboardInterrupt: the signal was SIGINT.
            TerminationSignal: it was another signal.
        """
        assert self._signal, "one was received"
        if is_of_deployment():
            end = Cancelled if is_cancelling() else Crashed
            return end(message=message)
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise TerminationSignal(signal=self._signal)


class SharedStop(StopRequest):
    """Asks a run to stop that shares its process with others.

    Args:
        halt: asks all of them.
    """

    def __init__(self, halt: Halt) -> None:
        super().__init__()
        self._halt = halt

    @property
    def is_received(self) -> bool:
        """Return True if the run is to stop."""
        return bool(self._halt.reason)

    def pass_on(self, run: Run) -> None:
        """Stop the run if it is to stop."""
        if self._halt.reason and not self._is_passed_on:
            self._is_passed_on = True
            run.stop(Stopped(self._halt.reason))

    def end(self, message: str) -> State[None]:
        """Return the state of a run that was stopped: the signal ends the process when all have been saved."""
        return Crashed(message=message)


def _tell_stopped(run: Run) -> str:
    """Say how far a stopped run is and what continues it; return the same for its state."""
    done, total = len(run.ledger.results), len(run.ledger.questions)
    run.progress.notify(f"⚠️ Stopped with {done:,} of {total:,} questions scored. {how_to_continue(run)}")
    report_tokens(run)
    return f"{done:,} of {total:,} scored. {how_to_continue(run)}"


def how_to_continue(run: Run) -> str:
    """Return how the user continues when questions are left, in the UI or in the shell."""
    return RETRY_ASKS if belongs_to_deployment() else outcome.how_to_continue(run)


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
    """Receive the signals that end a process until the block is left; in a thread of a larger program, receive none.

    A run that shares its process is asked to stop by whoever receives them there.
    """
    shared = find_shared()
    if shared:
        yield SharedStop(shared.halt)
        return
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
