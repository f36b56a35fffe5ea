"""How a run ended, known in the command's own process before Prefect's server hears of it.

By then everything is saved and closed. Prefect still reports the outcome to its server, and tries for two minutes if the server
has gone. When the process ends, Prefect also sends its remaining events, without any time limit. The command therefore waits
only a few seconds for each.
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

from flows.process.terminal import EXIT_DONE, EXIT_UNFINISHED, exit_code_of, print_error, print_line
from tasks.evaluation.errors import EvaluationError

Parameters = ParamSpec("Parameters")
# How long Prefect may hold up a process that has done its work: first with its report, then with its events.
PATIENCE_SECONDS = 10.0
# What the flow returns or raises.
Outcome = State[Any] | BaseException

_listener: ContextVar[Callable[[Outcome], None] | None] = ContextVar("listener", default=None)


def report_outcome(flow_function: Callable[Parameters, State[None]]) -> Callable[Parameters, State[None]]:
    """Wrap the flow's function so that it reports its outcome to the `EndWatch` that waits for it, if any.

    The flows that it calls report to nobody: their end is not the process's.
    """

    @wraps(flow_function)
    def run_and_report(*args: Parameters.args, **kwargs: Parameters.kwargs) -> State[None]:
        notify = _listener.get() or (lambda _: None)
        token = _listener.set(None)
        try:
            state = flow_function(*args, **kwargs)
        except BaseException as error:
            notify(error)
            raise
        finally:
            _listener.reset(token)
        notify(state)
        return state

    return run_and_report


class EndWatch:
    """Waits for the flow called within this context to end, and ends the process if Prefect takes too long afterwards.

    `outcome` is how the flow ended; None until it has.

    Args:
        server_url: the address of Prefect's server, for the message.
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
        """Print a warning that Prefect's server does not know how the run ended, and why."""
        print_line(f"⚠️ Prefect's server at {self._server_url} was not told how the run ended: {reason}", sys.stderr)

    def _hear(self, outcome: Outcome) -> None:
        self.outcome = outcome
        threading.Thread(target=self._leave_when_late, args=(outcome,), name="end-watch", daemon=True).start()

    def _leave_when_late(self, outcome: Outcome) -> None:
        """End the process if Prefect does not return, or if its threads then keep the process from ending."""
        if not self._has_returned.wait(PATIENCE_SECONDS):
            self.print_unreported("it does not answer")
            os._exit(print_outcome(outcome))
        time.sleep(PATIENCE_SECONDS)
        os._exit(_exit_code(outcome))


def print_outcome(outcome: Outcome) -> int:
    """Print how the flow ended, unless it ended well; return the exit code."""
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
    error = outcome.data if isinstance(outcome, State) else outcome
    if isinstance(error, EvaluationError):
        return exit_code_of(error)
    return EXIT_DONE if isinstance(outcome, State) and outcome.is_completed() else EXIT_UNFINISHED
