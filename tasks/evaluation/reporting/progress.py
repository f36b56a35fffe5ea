"""What the user sees while a run goes on: the documented lines, and the bar between them.

Every line that is shown also goes to the run's log; the bar does not. A line's sign is its level there: one that begins with ⚠️
is a warning. If the terminal has gone away, its lines are lost and nothing else.
"""

import io
import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

from tqdm import tqdm

# How often a pipe or a log file gets a line instead of the bar.
PLAIN_LINE_SECONDS = 10.0
WARNING_SIGN = "⚠️"
# Takes a level of `logging` and a line.
Log = Callable[[int, str], None]


class _Bar(tqdm):  # type: ignore[type-arg]  # at run time tqdm takes no type argument
    """tqdm's bar with thousands separators, as the guide shows it."""

    @property
    def format_dict(self) -> MutableMapping[str, Any]:
        """Return tqdm's fields, and the two counts as text."""
        return {**super().format_dict, "n_text": f"{self.n:,}", "total_text": f"{self.total:,}"}


BAR = "{desc}: {percentage:.1f}%|{bar}| {n_text}/{total_text} [{elapsed}<{remaining}, {rate_noinv_fmt}]"
PLAIN = "{desc}: {percentage:.1f}% {n_text}/{total_text} [{elapsed}<{remaining}, {rate_noinv_fmt}]"


class Progress:
    """The lines of one run.

    Args:
        log: takes every line that is shown, with its level, for the run's log.
        is_shown: whether to show the bar, or the plain lines that replace it in a pipe.
        name: what each line begins with, where several runs share the terminal. They have lines instead of bars there too.

    `lines` holds every line that was logged.
    """

    def __init__(self, log: Log, *, is_shown: bool, name: str = "") -> None:
        self.lines: list[str] = []
        self._log = log
        self._is_shown = is_shown
        self._prefix = f"{name}: " if name else ""
        self._is_terminal = sys.stderr.isatty() and not name
        self._bar: _Bar | None = None
        self._last_line = 0.0

    def notify(self, line: str) -> None:
        """Print the line, above the bar if there is one, and log it."""
        self._print(line)
        self.lines.append(line)
        self._log(logging.WARNING if line.startswith(WARNING_SIGN) else logging.INFO, line)

    def begin(self, done: int, total: int, what: str = "Processing questions") -> None:
        """Show the bar, starting from the number of questions that are done; `what` says what is done."""
        if not self._is_shown:
            return
        self._last_line = time.monotonic()
        self._bar = _Bar(
            initial=done,
            total=total,
            desc=what,
            unit=" questions",
            bar_format=BAR if self._is_terminal else PLAIN,
            file=sys.stderr if self._is_terminal else io.StringIO(),
        )

    def show(self, done: int) -> None:
        """Move the bar to this number of questions."""
        if self._bar is None or self._bar.n == done:
            return
        with suppress(OSError, ValueError):
            self._bar.update(done - self._bar.n)
            if not self._is_terminal and time.monotonic() - self._last_line >= PLAIN_LINE_SECONDS:
                self._last_line = time.monotonic()
                self._print(str(self._bar))

    def end(self) -> None:
        """Close the bar and leave it on the screen; a pipe gets its last line."""
        if self._bar is None:
            return
        if not self._is_terminal:
            self._print(str(self._bar))
        with suppress(OSError, ValueError):
            self._bar.close()
        self._bar = None

    def _print(self, line: str) -> None:
        with suppress(OSError, ValueError):
            _Bar.write(f"{self._prefix}{line}", file=sys.stdout)
            sys.stdout.flush()
