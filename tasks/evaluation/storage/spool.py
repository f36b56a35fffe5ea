"""Records on disk that live as long as the process, so that a run need not hold them in memory.

A spool is a file without a name. The kernel frees it when the process ends, however it ends, so no crash leaves one behind.
Nothing can be resumed from it; that is what the answer log, the checkpoints and Prefect's results are for.
"""

import errno
import os
import tempfile
import threading
from array import array
from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure

SEPARATOR = b",\n"


class Spool:
    """Lines of JSON, each followed by a comma and a line break, found by their number.

    Several threads may call `append` and `read`. Memory: 8 bytes per line.

    Args:
        folder: the folder of the file; None: the system's folder for temporary files.

    Raises:
        StorageFailure: the file cannot be made.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder or Path(tempfile.gettempdir())
        try:
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise self._describe_failure("make", error) from error
        self._ends = array("Q", [0])
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def descriptor(self) -> int:
        """Return the file's descriptor, for copying its bytes."""
        return self._file.fileno()

    def size_bytes(self, lines: int) -> int:
        """Return the size of the first `lines` lines, without the separator after the last of them."""
        return max(self._ends[lines] - len(SEPARATOR), 0)

    def append(self, line: bytes) -> int:
        """Keep the line and return its number.

        Raises:
            StorageFailure: the disk did not take all of it; the spool is unchanged.
        """
        piece = line + SEPARATOR
        with self._lock:
            start = self._ends[-1]
            try:
                written = os.pwrite(self.descriptor, piece, start)
            except OSError as error:
                raise self._describe_failure("write", error) from error
            if written != len(piece):
                raise self._describe_failure("write", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            self._ends.append(start + written)
            return len(self._ends) - 2

    def read(self, number: int) -> bytes:
        """Return the line with that number, without its separator.

        Raises:
            StorageFailure: the disk cannot read it back.
        """
        start = self._ends[number]
        try:
            return os.pread(self.descriptor, self._ends[number + 1] - start - len(SEPARATOR), start)
        except OSError as error:
            raise self._describe_failure("read", error) from error

    def truncate(self, lines: int) -> None:
        """Forget all but the first `lines` lines."""
        with self._lock:
            del self._ends[lines + 1 :]

    def close(self) -> None:
        """Free the disk's space."""
        self._file.close()

    def _describe_failure(self, verb: str, error: OSError) -> StorageFailure:
        return StorageFailure(f"cannot {verb} a temporary file in {self._folder}: {error.strerror}; {MAKE_ROOM}")


class PlacedSpool:
    """A spool whose lines belong to positions, at most one line each. Memory: 16 bytes per position.

    Args:
        folder: as for `Spool`.
        positions: the number of positions; a position is a 0-based place in the selection.
    """

    def __init__(self, folder: Path | None, positions: int) -> None:
        self.lines = Spool(folder)
        self._number_at = array("q", [-1]) * positions
        self._order = array("Q")
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
