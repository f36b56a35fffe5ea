"""A key that expires, as those of a gateway do, and the command that prints the present one."""

import threading
from collections.abc import Callable
from pathlib import Path


class ExpiringKey:
    """A key that another one replaces after this many requests; the command prints the present one, and notes each call.

    Args:
        folder: where the command and its files lie.
        lasts: for how many requests a key is admitted.

    `publish` takes each further key before it is in force.
    """

    def __init__(self, folder: Path, lasts: int = 10**9) -> None:
        self.calls = folder / "calls.txt"
        self.script = folder / "print-key"
        self.all: list[str] = []
        self.publish: Callable[[str], None] = lambda _: None
        self._file = folder.parent / "present-key"
        self._lasts = lasts
        self._admitted = 0
        self._lock = threading.Lock()
        self.write_script(f"cat '{self._file}'")
        self.replace()

    @property
    def call_count(self) -> int:
        """Return how often the command was called."""
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0

    def write_script(self, line: str) -> None:
        """Make the command note its call and run this line of shell."""
        self.script.write_text(f"#!/bin/sh\necho called >> '{self.calls}'\n{line}\n")
        self.script.chmod(0o755)

    def replace(self) -> None:
        """Put another key in place of the present one."""
        key = f"Key{len(self.all):04}xW7qTz9+Lm/2vRb5="
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{key}\n")
        fresh.rename(self._file)
        self.publish(key)
        self.all.append(key)

    def admits(self, authorization: str) -> bool:
        """Return True if the key is the present one; the last request that it is good for replaces it."""
        with self._lock:
            is_present = authorization == f"Bearer {self.all[-1]}"
            self._admitted += is_present
            if is_present and self._admitted % self._lasts == 0:
                self.replace()
            return is_present
