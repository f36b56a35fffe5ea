"""The answer log: every answer and every grade, on disk from the moment it arrives.

    {folder}/{writer}-{segment}.jsonl

Format: JSON Lines. A record is one object on one line, UTF-8, ended by a line break; `records` documents its fields. A segment
holds at most 10,000 records. A process writes to segments of its own only, so any number of runs share a folder. Records are
found by the ids in them, never by the file's name or place.

    {"kind":"answer","answer_id":"5f…","text":"ANSWER: B","usage":{"total_tokens":212},…}
    {"kind":"grade","score_id":"a0…","evaluation":{"score":1,…},…}

Promise: a record is in the file when `append` returns, so killing the process loses nothing. An fsync follows within a second
(one for all that waits), so a power failure loses at most the last second; `append`'s future tells when it is done. The folder
is fsynced when a segment is made, and its own path when that is; what a killed process had not yet fsynced, the run that reads
it does (`sync_segment`). Tail rule: a last line without a line break is what a crash cut off, and is no record; a line
that does not parse costs that record alone. Assumes that appending to a file changes nothing before its end. Downside: an
answer stands in the log and again in the next checkpoint. A full segment is removed when a durable checkpoint holds all of its
questions, the others when the evaluation is complete: until then the log alone is enough to continue with what they hold.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.file_locks import remove_unless_locked, try_lock
from tasks.evaluation.json_files import JsonObject, from_line

SEGMENT_RECORDS = 10_000
SYNC_SECONDS = 1.0
LINE_BREAK = b"\n"


@dataclass
class Segment:
    """A file of the log, and the positions whose questions it holds and no durable checkpoint does."""

    path: Path
    unsaved: set[int] = field(default_factory=set)
    is_full: bool = False


class AnswerLog:
    """The log that this process writes.

    Args:
        folder: where the segments lie; made when it is missing.
        writer: a name that no other process uses.
        sync_at_once: whether each record is to be fsynced as soon as the fsync before it is done.
    """

    def __init__(self, folder: Path, writer: str, *, sync_at_once: bool) -> None:
        make_folder(folder)
        self._folder = folder
        self._writer = writer
        self._segments: list[Segment] = []
        self._file: BinaryIO | None = None
        self._records = 0
        self._size_bytes = 0
        self._sync_waiters: list[Future[None]] = []
        self._failure: StorageFailure | None = None
        self._lock = threading.Lock()
        self._segment_number = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._pause_seconds = 0.0 if sync_at_once else SYNC_SECONDS
        self._syncer = threading.Thread(target=self._sync_until_closed, name="answer-log-sync", daemon=True)
        self._syncer.start()

    def append(self, line: bytes, position: int) -> "Future[None]":
        """Write the record of a question's answer or grade; the future is done when it is fsynced.

        Raises:
            StorageFailure: it could not be written whole, and the log is as it was before; or an earlier fsync has failed.
        """
        with self._lock:
            if self._failure:
                raise self._failure
            try:
                self._write(line + LINE_BREAK)
            except OSError as error:
                raise StorageFailure(f"cannot write the answer log in {self._folder}: {error.strerror}; {MAKE_ROOM}") from error
            self._segments[-1].unsaved.add(position)
            synced: Future[None] = Future()
            self._sync_waiters.append(synced)
        self._wake.set()
        return synced

    def adopt(self, path: Path, positions: Iterable[int], record_count: int) -> None:
        """Take over a segment that an earlier run has left, all of whose records belong to these positions."""
        with self._lock:
            self._segments.insert(0, Segment(path, set(positions), is_full=record_count >= SEGMENT_RECORDS))

    def release(self, positions: Iterable[int]) -> None:
        """Note that a durable checkpoint holds these positions, and remove the full segments that it covers."""
        saved = set(positions)
        with self._lock:
            for segment in self._segments:
                segment.unsaved -= saved
            self._remove_saved([segment for segment in self._segments if segment.is_full])

    def close(self, *, is_complete: bool) -> None:
        """Fsync what waits and end; of a complete evaluation all segments that a durable checkpoint covers are removed."""
        self._closing.set()
        self._wake.set()
        self._syncer.join()
        if self._file:
            self._file.close()
            self._file = None
        if is_complete:
            self._remove_saved(self._segments)

    def _remove_saved(self, segments: Iterable[Segment]) -> None:
        for segment in [segment for segment in segments if not segment.unsaved]:
            remove_unless_locked(segment.path, even_if_unknown=True)
            self._segments.remove(segment)

    def _write(self, piece: bytes) -> None:
        """Append the bytes to the current segment, whole or not at all."""
        if self._file is None or self._records == SEGMENT_RECORDS:
            self._begin_segment()
        assert self._file is not None
        written = 0
        try:
            while written < len(piece):
                written += os.write(self._file.fileno(), piece[written:])
        except OSError:
            os.ftruncate(self._file.fileno(), self._size_bytes)
            raise
        self._size_bytes += len(piece)
        self._records += 1

    def _begin_segment(self) -> None:
        if self._file:
            self._end_segment(self._file)
        self._segment_number += 1
        path = self._folder / f"{self._writer}-{self._segment_number:06d}.jsonl"
        # Appending, so that a record after one that did not fit leaves no gap.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644), "ab", buffering=0)
        self._segments.append(Segment(path))
        self._records = self._size_bytes = 0
        try_lock(self._file)
        sync_folder(self._folder)

    def _end_segment(self, file: BinaryIO) -> None:
        self._file = None
        try:
            os.fsync(file.fileno())
        except OSError as error:
            self._failure = StorageFailure(f"cannot fsync the answer log in {self._folder}: {error.strerror}")
            raise
        finally:
            file.close()
        self._segments[-1].is_full = True

    def _sync_until_closed(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._sync()
            self._closing.wait(self._pause_seconds)
        self._sync()

    def _sync(self) -> None:
        """One fsync for all records that wait for one. A failed fsync is final: the kernel may have dropped the data."""
        with self._lock:
            waiters, self._sync_waiters = self._sync_waiters, []
            descriptor = os.dup(self._file.fileno()) if self._file and waiters else None
        try:
            if self._failure:
                raise self._failure
            # Without an open segment the records are in one that was fsynced when it was full.
            if descriptor is not None:
                os.fsync(descriptor)
        except OSError as error:
            self._fail(waiters, StorageFailure(f"cannot fsync the answer log in {self._folder}: {error.strerror}"))
        except StorageFailure as failure:
            self._fail(waiters, failure)
        else:
            for waiter in waiters:
                waiter.set_result(None)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _fail(self, waiters: list[Future[None]], failure: StorageFailure) -> None:
        with self._lock:
            self._failure = failure
            waiters += self._sync_waiters
            self._sync_waiters = []
        for waiter in waiters:
            waiter.set_exception(failure)


def list_segments(folder: Path) -> list[Path]:
    """The segments of all writers in the folder, the oldest writer's first."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def sync_segment(path: Path) -> None:
    """Make durable what is in the segment: a killed process has left what it had not yet fsynced to the kernel's memory.

    Raises:
        OSError: it cannot be opened.
        StorageFailure: it cannot be fsynced.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise StorageFailure(f"cannot fsync the answer log {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)


def read_segment(path: Path) -> Iterator[JsonObject | None]:
    """The records of a segment in their order; None for a line that does not parse. A cut last line is passed over."""
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(LINE_BREAK):
                return
            try:
                yield from_line(line)
            except ValueError:
                yield None


def make_folder(folder: Path) -> None:
    """Make the folder and what is missing of its path, durable: an fsynced file is lost with a folder that is not."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable: names that were made, replaced or removed."""
    _sync_path(folder)


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
