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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.storage.durable_files import copy_bytes, write_bytes
from tasks.evaluation.storage.shared_file import SharedFile

SEPARATOR = b",\n"
# While lines are gathered, this much of them is written at once: a line alone costs a system call.
GATHERED_BYTES = 1 << 18
# As much is read ahead while lines are streamed, if they are not unusually long: those that lie side by side, at once.
STREAMED_BYTES, MOST_STREAMED_LINES = 1 << 20, 256


class Spool:
    """Lines of JSON, each followed by a comma and a line break, found by their number.

    Several threads may call `append` and `read`. Memory: 8 bytes per line, and `GATHERED_BYTES` while lines are gathered.

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
        # The last lines, which the file does not hold yet, and how large they may become.
        self._waiting, self._most_waiting = bytearray(), 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Write the lines that are appended meanwhile many at a time; at the end the file holds them all.

        Raises:
            StorageFailure: at the end or in `append`, the disk did not take them. They are not lost, but found nowhere else.
        """
        self._most_waiting = GATHERED_BYTES
        try:
            yield
        finally:
            self._most_waiting = 0
        with self._lock:
            try:
                self._write_waiting()
            except OSError as error:
                raise self._describe_failure("write", error) from error

    def size_bytes(self, lines: int) -> int:
        """Return the size of the first `lines` lines, without the separator after the last of them."""
        return max(self._ends[lines] - len(SEPARATOR), 0)

    def append(self, line: bytes) -> int:
        """Keep the line and return its number.

        Raises:
            StorageFailure: the disk did not take all of it; the spool is unchanged.
        """
        with self._lock:
            end = self._ends[-1] + len(line) + len(SEPARATOR)
            self._waiting += line
            self._waiting += SEPARATOR
            if len(self._waiting) > self._most_waiting:
                try:
                    self._write_waiting(end)
                except OSError as error:
                    del self._waiting[-len(line) - len(SEPARATOR) :]
                    raise self._describe_failure("write", error) from error
            self._ends.append(end)
            return len(self._ends) - 2

    def read(self, number: int) -> bytes:
        """Return the line with that number, without its separator.

        Raises:
            StorageFailure: the disk cannot read it back.
        """
        return self._read_side_by_side((number,))[0]

    def stream(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """Yield the lines with these numbers, as `read` returns each.

        Raises:
            StorageFailure: the disk cannot read one back.
        """
        numbers = iter(numbers)
        lines_at_once = max(min(STREAMED_BYTES * len(self) // max(self._ends[-1], 1), MOST_STREAMED_LINES), 1)
        while block := list(islice(numbers, lines_at_once)):
            found: dict[int, bytes] = {}
            for first, last in _find_runs(sorted(block)):
                run = range(first, last + 1)
                found.update(zip(run, self._read_side_by_side(run), strict=True))
            yield from map(found.__getitem__, block)

    def _read_side_by_side(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the lines with these numbers, which follow each other."""
        # Locked, so that no file is closed meanwhile.
        with self._lock:
            begins = self._ends[numbers[0] : numbers[-1] + 2]
            try:
                content = self._read_bytes(begins[0], begins[-1])
            except OSError as error:
                raise self._describe_failure("read", error) from error
        start = begins[0]
        return [content[begins[at] - start : begins[at + 1] - start - len(SEPARATOR)] for at in range(len(numbers))]

    def _read_bytes(self, start: int, stop: int) -> bytes:
        """Return these bytes, counted from the first line, wherever they are by now: in a shared file, our own, or memory."""
        written = self._ends[-1] - len(self._waiting)
        content = b""
        if start < self._start and self._shared:
            self._shared.check()
            content = os.pread(self._shared.descriptor, min(stop, self._start) - start, self._shared.offset + start)
            start = self._start
        if start < min(stop, written):
            content += os.pread(self._file.fileno(), min(stop, written) - start, start - self._start)
        if stop > written:
            content += self._waiting[max(start - written, 0) : stop - written]
        return content

    def copy(self, target: int, lines: int) -> None:
        """Append the first `lines` lines to a file, without the separator after the last of them.

        Raises:
            OSError: they could not be copied whole.
        """
        with self._lock:
            self._write_waiting()
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
            self._write_waiting()
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
            del self._waiting[max(len(self._waiting) - (self._ends[-1] - self._ends[lines]), 0) :]
            del self._ends[lines + 1 :]

    def close(self) -> None:
        """Free the disk's space."""
        self._close_files()

    def _write_waiting(self, end: int | None = None) -> None:
        """Write the lines that wait for it; `end` is where they end, None: where the last line does.

        Raises:
            OSError: the disk did not take all of them; they go on waiting.
        """
        if not self._waiting:
            return
        start = (self._ends[-1] if end is None else end) - len(self._waiting)
        written = os.pwrite(self._file.fileno(), self._waiting, start - self._start)
        if written != len(self._waiting):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._waiting.clear()

    def _make_file(self) -> BinaryIO:
        return tempfile.TemporaryFile(dir=self._folder, buffering=0)

    def _close_files(self) -> None:
        self._file.close()
        if self._shared:
            os.close(self._shared.descriptor)
            self._shared = None

    def _describe_failure(self, verb: str, error: OSError) -> StorageFailure:
        return StorageFailure(f"cannot {verb} a temporary file in {self._folder}: {error.strerror or error}; {MAKE_ROOM}")


def _find_runs(ordered: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of numbers that follow each other."""
    first = last = ordered[0]
    for number in ordered:
        if number > last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
