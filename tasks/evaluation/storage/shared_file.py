"""A file that holds lines of a spool as well, so that they are on the disk once: a checkpoint of the run's own."""

import os

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
