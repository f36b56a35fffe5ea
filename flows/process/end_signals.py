"""The signals that end a process, and how their handlers are installed."""

import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import NoReturn

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], object]


def install_handlers(handler: Handler, numbers: Iterable[signal.Signals] = END_SIGNALS) -> Mapping[signal.Signals, Handler]:
    """Install the handler for each of these signals; return the handlers that it replaces.

    A signal that is ignored stays ignored: whoever started the process wants it to go on, as `nohup` does when the terminal is
    closed. A handler that was not installed from Python is left in place, since it could not be restored.

    Raises:
        ValueError: this is not the main thread.
    """
    before = {number: signal.getsignal(number) for number in numbers}
    return {
        number: signal.signal(number, handler)  # type: ignore[misc]  # SIG_DFL can be set again like a function
        for number, earlier in before.items()
        if earlier not in (signal.SIG_IGN, None)
    }


def exit_on_signal(number: int, _: FrameType | None) -> NoReturn:
    """End the process in order, with the exit code that stands for the signal."""
    sys.exit(128 + number)
