"""Signals while questions are asked: the first ends the run in good order, a second one ends the process at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from prefect.exceptions import TerminationSignal

from tasks.evaluation.errors import Stopped
from tasks.evaluation.run import Run

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """The signal that asked the run to stop, if one did."""

    def __init__(self) -> None:
        self._signal: signal.Signals | None = None
        self._is_passed_on = False

    def receive(self, number: int, _: FrameType | None) -> None:
        """Note the first signal; at a second one end the process. The answer log holds all that has arrived."""
        if self._signal is not None:
            os._exit(128 + number)
        self._signal = signal.Signals(number)

    def pass_on(self, run: Run) -> None:
        """Tell the run to stop, if it was not told yet."""
        if self._signal is not None and not self._is_passed_on:
            self._is_passed_on = True
            run.progress.say(f"Stopping on {self._signal.name}: saving what has arrived; once more stops at once")
            run.stop(Stopped(f"{self._signal.name} was received"))

    def raise_if_any(self, run: Run) -> None:
        """End the stopped run's flow as Prefect expects of the signal: Crashed, or Cancelled where its runner sent it.

        Raises:
            KeyboardInterrupt: it was SIGINT.
            TerminationSignal: it was another.
        """
        if self._signal is not None:
            done, total = len(run.ledger.results), len(run.ledger.questions)
            run.progress.say(f"Stopped with {done:,} of {total:,} questions saved: {run.how_to_continue}")
            run.say_tokens()
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        if self._signal is not None:
            raise TerminationSignal(signal=self._signal)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Receive the signals that end a process, until the block is left; in a thread of a larger program, none."""
    request = StopRequest()
    try:
        before = {number: signal.signal(number, request.receive) for number in SIGNALS}
    except ValueError:
        before = {}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
