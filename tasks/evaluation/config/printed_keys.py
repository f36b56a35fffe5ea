"""Keys that commands print: what stands behind `command:`, and what it has printed. Nothing here runs a command."""

import asyncio
import math
import shlex
from dataclasses import dataclass, field

from tasks.evaluation.errors import UserMistake


@dataclass(eq=False)
class PrintedKey:
    """A key that a command prints; all endpoints with the same command share it."""

    words: list[str]
    """The program and its arguments."""
    place: str
    """The setting that holds the command, for messages."""
    text: str = field(default="", repr=False)
    """What it has printed last; empty: it has not been run."""
    read_at: float = -math.inf
    """When the command was started that has printed this, on the monotonic clock."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    """Held while the command runs: whoever needs the key meanwhile waits for this one call."""

    @property
    def program(self) -> str:
        """Return the program's name, as it is written."""
        return self.words[0]


def split_command(command: str, place: str) -> list[str]:
    """Return the words of what stands behind `command:`, as a shell would split them; nothing else of a shell is done.

    Raises:
        UserMistake: nothing stands there, or a quote is not closed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UserMistake(f"{place}: the command {command.strip()!r} cannot be read: {error}") from None
    if not words or not words[0] or "\0" in command:
        raise UserMistake(f"{place}: a program is missing: write it as command: PROGRAM ARGUMENT …")
    return words
