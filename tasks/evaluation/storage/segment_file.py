"""The file of the answer log that is being written."""

import os
from pathlib import Path

from tasks.evaluation.storage.locks import try_lock


class SegmentFile:
    """A new segment, locked by this process while it is open.

    `is_torn` says that a part of a record stands at its end and could not be removed: no other may follow it, which would be
    unreadable with it.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.record_count = 0
        self.is_torn = False
        self._path = path
        self._size_bytes = 0
        # Appending, so that a record after one that did not fit leaves no gap.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        try_lock(self._file)

    def append(self, piece: bytes) -> None:
        """Write the bytes, whole or not at all.

        Raises:
            OSError: they could not be written, or the file has lost its name, so that nobody would ever read them.
        """
        self._path.stat()
        written = 0
        try:
            while written < len(piece):
                written += os.write(self._file.fileno(), piece[written:])
        except OSError:
            self._take_back()
            raise
        self._size_bytes += len(piece)
        self.record_count += 1

    def sync(self) -> None:
        """Make durable what it holds.

        Raises:
            OSError: it is not.
        """
        os.fsync(self._file.fileno())

    def copy_descriptor(self) -> int:
        """Another descriptor of the file, for an fsync that nothing waits for."""
        return os.dup(self._file.fileno())

    def close(self) -> None:
        """Give up the file and its lock."""
        self._file.close()

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self._size_bytes)
        except OSError:
            self.is_torn = True
            raise
