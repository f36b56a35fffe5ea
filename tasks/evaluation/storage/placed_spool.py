"""Spools whose lines belong to questions: the results, the repeats and the answers of a run."""

import threading
from array import array
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tasks.evaluation.storage.spool import Spool


class PlacedSpool:
    """A spool whose lines belong to positions, at most one line each. Memory: 4 bytes per position, and 12 per line.

    Args:
        folder: as for `Spool`.
        positions: the number of positions; a position is a 0-based place in the selection.
    """

    def __init__(self, folder: Path | None, positions: int) -> None:
        self.lines = Spool(folder)
        self._number_at = array("i", [-1]) * positions
        self._order = array("I")
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, position: int) -> bool:
        return self._number_at[position] >= 0

    def put(self, position: int, line: bytes) -> bool:
        """Keep the line for the position and return True; return False if the position already has a line."""
        with self._lock:
            if position in self:
                return False
            self._number_at[position] = self.lines.append(line)
            self._order.append(position)
            return True

    def read(self, position: int) -> bytes:
        """Return the position's line.

        Raises:
            KeyError: the position has no line.
        """
        if position not in self:
            raise KeyError(position)
        return self.lines.read(self._number_at[position])

    def stream(self, positions: Iterable[int]) -> Iterator[bytes]:
        """Yield the lines of those of the positions that have one, as `read` returns each."""
        return self.lines.stream(number for number in map(self._number_at.__getitem__, positions) if number >= 0)

    def gathering(self) -> AbstractContextManager[None]:
        """Return what lets lines be written many at a time, as that of `Spool` does."""
        return self.lines.gathering()

    def positions(self, start: int, stop: int) -> "array[int]":
        """Return the positions of the lines from number `start` up to, not including, `stop`, in order of arrival."""
        return self._order[start:stop]

    def truncate(self, lines: int) -> None:
        """Forget all but the first `lines` lines to arrive."""
        with self._lock:
            for position in self._order[lines:]:
                self._number_at[position] = -1
            del self._order[lines:]
            self.lines.truncate(lines)

    def close(self) -> None:
        """Free the disk's space."""
        self.lines.close()
