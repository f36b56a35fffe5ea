"""The file of the answer log that is currently being written."""

import os
from pathlib import Path

from tasks.evaluation.storage.locks import try_lock


class SegmentFile:
    """A new segment, locked by this process while it is open.

    `is_torn` is True if the file ends with part of a record that could not be removed. No other record may follow: it would be
    unreadable together with that part.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.record_count = 0
        self.is_torn = False
        self._path = path
        self._size_bytes = 0
        # In append mode, so that a record after one that did not fit leaves no gap.
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
        """Make the contents durable.

        Raises:
            OSError: the fsync failed.
        """
        os.fsync(self._file.fileno())

    def copy_descriptor(self) -> int:
        """Return another descriptor of the file, for an fsync that no writer waits for."""
        return os.dup(self._file.fileno())

    def close(self) -> None:
        """Close the file, which frees its lock."""
        self._file.close()

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file.fileno(), self._size_bytes)
        except OSError:
            self.is_torn = True
            raise
