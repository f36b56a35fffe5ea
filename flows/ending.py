"""The end of a run in the process that the command started: known before Prefect's server is told of it.

By then all is saved and closed. Prefect goes on to tell its server how the run ended, for two minutes when that has gone, and
when the process ends it sends the events that it still has, without any limit. So the command waits a few seconds for either.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, Self

from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal

from flows.terminal import EXIT_DONE, EXIT_MISTAKE, EXIT_UNFINISHED, print_error, print_line
from tasks.evaluation.errors import EvaluationError, UserMistake

Parameters = ParamSpec("Parameters")
# How long Prefect may keep a process from ending that has done its work, first with its report and then with its events.
PATIENCE_SECONDS = 10.0
# What the flow gives, or what it raises.
Outcome = State[Any] | BaseException

_listener: ContextVar[Callable[[Outcome], None] | None] = ContextVar("listener", default=None)


def report_outcome(flow_function: Callable[Parameters, State[None]]) -> Callable[Parameters, State[None]]:
    """The flow's function, which tells who waits for it how it ended."""

    @wraps(flow_function)
    def run_and_report(*args: Parameters.args, **kwargs: Parameters.kwargs) -> State[None]:
        hear = _listener.get() or (lambda _: None)
        try:
            state = flow_function(*args, **kwargs)
        except BaseException as error:
            hear(error)
            raise
        hear(state)
        return state

    return run_and_report


class EndWatch:
    """Waits for the end of the flow that is called within this context, and ends the process when Prefect then takes too long.

    `outcome` is how the flow ended; None before it has.

    Args:
        server_url: Prefect's server, for the message.
    """

    def __init__(self, server_url: str) -> None:
        self.outcome: Outcome | None = None
        self._server_url = server_url
        self._has_returned = threading.Event()

    def __enter__(self) -> Self:
        self._token = _listener.set(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._has_returned.set()
        _listener.reset(self._token)

    def print_unreported(self, reason: str) -> None:
        """Say that Prefect's server does not know how the run ended."""
        print_line(f"⚠️ Prefect's server at {self._server_url} was not told how the run ended: {reason}", sys.stderr)

    def _hear(self, outcome: Outcome) -> None:
        self.outcome = outcome
        threading.Thread(target=self._leave_when_late, args=(outcome,), name="end-watch", daemon=True).start()

    def _leave_when_late(self, outcome: Outcome) -> None:
        """End the process when Prefect does not return, and when its threads then do not let the process end."""
        if not self._has_returned.wait(PATIENCE_SECONDS):
            self.print_unreported("it does not answer")
            os._exit(print_outcome(outcome))
        time.sleep(PATIENCE_SECONDS)
        os._exit(_exit_code(outcome))


def print_outcome(outcome: Outcome) -> int:
    """Say how the flow ended, where it did not end well; give the exit code."""
    code = _exit_code(outcome)
    if isinstance(outcome, EvaluationError):
        print_error(outcome)
    elif code == EXIT_UNFINISHED:
        print_line(f"mcqa: {outcome.message if isinstance(outcome, State) else repr(outcome)}", sys.stderr)
    return code


def _exit_code(outcome: Outcome) -> int:
    if isinstance(outcome, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(outcome, TerminationSignal):
        return 128 + outcome.signal
    if isinstance(outcome, UserMistake):
        return EXIT_MISTAKE
    return EXIT_DONE if isinstance(outcome, State) and outcome.is_completed() else EXIT_UNFINISHED
