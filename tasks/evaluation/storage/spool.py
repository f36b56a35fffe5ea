"""Records on disk that live as long as the process, so that a run need not hold them in memory.

A spool is a file without a name. The kernel frees it when the process ends, however it ends, so no crash leaves one behind.
Nothing can be resumed from it; that is what the answer log, the checkpoints and Prefect's results are for. Lines that a large
checkpoint holds are read from there, whatever name it has by then or has lost, so that they are on the disk once.
"""

import errno
import os
import tempfile
import threading
from array import array
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.storage.durable_files import copy_bytes, write_bytes

SEPARATOR = b",\n"
# As much of a shared file's beginning tells it from any other.
STAMP_BYTES = 64


class SharedFile:
    """A file of ours that holds the first lines of a spool as well, and that nobody changes.

    Args:
        descriptor: the file, open for reading.
        offset: where its first line begins.
        lines: the number of lines.

    Raises:
        OSError: it cannot be looked at.
    """

    def __init__(self, descriptor: int, offset: int, lines: int) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.lines = lines
        self._stamp = self._read_stamp()

    def check(self) -> None:
        """Check that nobody has overwritten it: its size and its beginning, where a checkpoint has the time to the microsecond.

        Not the time of its last change, which some network file systems set later.

        Raises:
            OSError: somebody has, or it cannot be looked at.
        """
        if self._read_stamp() != self._stamp:
            raise OSError("another program has overwritten the run's checkpoint")

    def _read_stamp(self) -> tuple[int, bytes]:
        return os.fstat(self.descriptor).st_size, os.pread(self.descriptor, STAMP_BYTES, 0)


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
            self._file = self._make_file()
        except OSError as error:
            raise self._describe_failure("make", error) from error
        self._shared: SharedFile | None = None
        # Where the own file begins, behind the lines that are shared, and where each line ends, both counted from the first.
        self._start = 0
        self._ends = array("Q", [0])
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends) - 1

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
                written = os.pwrite(self._file.fileno(), piece, start - self._start)
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
        # Locked, so that no file is closed meanwhile.
        with self._lock:
            start, stop = self._ends[number], self._ends[number + 1] - len(SEPARATOR)
            try:
                if self._shared and start < self._start:
                    self._shared.check()
                    return os.pread(self._shared.descriptor, stop - start, self._shared.offset + start)
                return os.pread(self._file.fileno(), stop - start, start - self._start)
            except OSError as error:
                raise self._describe_failure("read", error) from error

    def copy(self, target: int, lines: int) -> None:
        """Append the first `lines` lines to a file, without the separator after the last of them.

        Raises:
            OSError: they could not be copied whole.
        """
        shared = self._shared
        if shared:
            shared.check()
            size_bytes = self.size_bytes(min(shared.lines, lines))
            copy_bytes(shared.descriptor, target, shared.offset, shared.offset + size_bytes)
            shared.check()
            if lines > shared.lines:
                write_bytes(target, SEPARATOR)
        copy_bytes(self._file.fileno(), target, 0, self.size_bytes(lines) - self._start)

    def share(self, shared: SharedFile) -> None:
        """Keep the lines that the file holds no longer; it is closed with the spool, or once another is shared.

        Not while `copy` runs.

        Raises:
            OSError: there is no room for a copy of the other lines; nothing has changed.
        """
        start = self._ends[shared.lines]
        with self._lock:
            file = self._make_file()
            try:
                copy_bytes(self._file.fileno(), file.fileno(), start - self._start, self._ends[-1] - self._start)
            except OSError:
                file.close()
                raise
            self._close_files()
            self._file, self._start, self._shared = file, start, shared

    def truncate(self, lines: int) -> None:
        """Forget all but the first `lines` lines, of which there are at least as many as are shared."""
        with self._lock:
            del self._ends[lines + 1 :]

    def close(self) -> None:
        """Free the disk's space."""
        self._close_files()

    def _make_file(self) -> BinaryIO:
        return tempfile.TemporaryFile(dir=self._folder, buffering=0)

    def _close_files(self) -> None:
        self._file.close()
        if self._shared:
            os.close(self._shared.descriptor)
            self._shared = None

    def _describe_failure(self, verb: str, error: OSError) -> StorageFailure:
        return StorageFailure(f"cannot {verb} a temporary file in {self._folder}: {error.strerror or error}; {MAKE_ROOM}")


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
