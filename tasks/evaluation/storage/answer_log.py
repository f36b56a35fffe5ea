"""The answer log, `{folder}/{writer}-{segment}.jsonl`: every answer and every grade, on disk from the moment it arrives.

Format: JSON Lines, UTF-8, every line ended by a line break; `records` documents the fields. A segment holds at most 10,000
records. A process writes only to its own segments, so runs can share a folder. Records are found by their ids, not by file.

    {"kind":"answer","answer_id":"5f…","text":"ANSWER: B","usage":{"total_tokens":212},…}
    {"kind":"grade","score_id":"a0…","answer_digest":"c4…","evaluation":{"score":1,…},…}

Further kinds are `refusal` (`records.refusal_record`) and `clarification` (`clarification_records`). A grade belongs to one
answer and names its digest: evaluations that ask a model the same question each get their own answers and grades.

Promise: a record is in the file when `append` returns, so killing the process loses nothing. Every second one fsync begins for
all waiting records, so a power failure loses at most a second plus one fsync, or two fsyncs if one takes longer than a second.
`append` never waits for it; the future that it returns does. The folder is fsynced with a segment's first record, and its path
when it is made. What a killed process had not fsynced, the run that reads it does (`sync_segment`). A record that could not be
written whole is truncated away. If that or an fsync fails, the log accepts nothing more and the run stops.

Tail rule: a last line without a line break was cut off by a crash and is no record; a line that does not parse costs only that
record. Assumption: appending to a file changes nothing before its end. Downside: the next checkpoint holds every answer again.
A full segment is removed once a durable checkpoint holds all its questions, the others once the evaluation is complete; until
then the log alone is enough to continue with what they hold.
"""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import JsonObject, from_line
from tasks.evaluation.storage.folders import make_folder, sync_folder
from tasks.evaluation.storage.locks import remove_unless_locked
from tasks.evaluation.storage.segment_file import SegmentFile

SEGMENT_RECORDS = 10_000
SYNC_SECONDS = 1.0
LINE_BREAK = b"\n"


@dataclass
class Segment:
    """A file of the log, and the positions of the questions in it that no durable checkpoint holds."""

    path: Path
    unsaved: set[int] = field(default_factory=set)
    is_full: bool = False


class AnswerLog:
    """The log that this process writes.

    Args:
        folder: the folder of the segments; made if it is missing.
        writer: a name that no other process uses.
        sync_at_once: whether to fsync each record as soon as the previous fsync is done.

    Raises:
        StorageFailure: the folder cannot be made.
    """

    def __init__(self, folder: Path, writer: str, *, sync_at_once: bool) -> None:
        try:
            make_folder(folder)
        except OSError as error:
            raise StorageFailure(f"cannot make the folder {folder}: {error.strerror}; {MAKE_ROOM}") from error
        self._folder = folder
        self._writer = writer
        self._segments: list[Segment] = []
        self._file: SegmentFile | None = None
        self._full: list[tuple[Segment, SegmentFile]] = []
        self._has_new_names = False
        self._waiters: list[Future[None]] = []
        self._failure: StorageFailure | None = None
        self._lock = threading.Lock()
        self._segment_number = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._period_seconds = 0.0 if sync_at_once else SYNC_SECONDS
        self._syncer = threading.Thread(target=self._sync_until_closed, name="answer-log-sync", daemon=True)
        self._syncer.start()

    @property
    def failure(self) -> StorageFailure | None:
        """Return the reason why the log accepts nothing more; None while it does."""
        return self._failure

    def append(self, line: bytes, position: int) -> "Future[None]":
        """Write the record of a question's answer or grade; the returned future is done when the record is fsynced.

        Raises:
            StorageFailure: it could not be written whole, and the log is unchanged; or the log has failed for good.
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
            # Otherwise a question that is cancelled while waiting would cancel the future, and the syncer could not set it.
            synced.set_running_or_notify_cancel()
            self._waiters.append(synced)
        self._wake.set()
        return synced

    def adopt(self, path: Path, positions: Iterable[int], record_count: int) -> None:
        """Take over a segment that an earlier run has left; all its records belong to these positions."""
        with self._lock:
            self._segments.insert(0, Segment(path, set(positions), is_full=record_count >= SEGMENT_RECORDS))

    def release(self, positions: Iterable[int]) -> None:
        """Note that a durable checkpoint holds these positions, and remove the full segments that are now covered."""
        saved = set(positions)
        with self._lock:
            for segment in self._segments:
                segment.unsaved -= saved
            self._remove_saved([segment for segment in self._segments if segment.is_full])

    def close(self, *, is_complete: bool) -> None:
        """Fsync what waits and end; if the evaluation is complete, remove all segments that durable checkpoints cover."""
        self._closing.set()
        self._wake.set()
        self._syncer.join()
        if self._file:
            self._file.close()
            self._file = None
        if is_complete:
            self._remove_saved(self._segments)

    def _remove_saved(self, segments: Iterable[Segment]) -> None:
        """Remove the segments that checkpoints cover; one that cannot be removed stays, which costs only space."""
        for segment in [segment for segment in segments if not segment.unsaved]:
            with suppress(OSError):
                remove_unless_locked(segment.path, even_if_unknown=True)
                self._segments.remove(segment)

    def _write(self, piece: bytes) -> None:
        """Append the bytes to the current segment, whole or not at all."""
        if self._file is None or self._file.record_count == SEGMENT_RECORDS:
            self._begin_segment()
        assert self._file is not None
        try:
            self._file.append(piece)
        except OSError as error:
            if self._file.is_torn:
                self._failure = self._describe_failure("write", error)
            raise

    def _begin_segment(self) -> None:
        """Begin a new file. The fsync of the full one may take seconds, and is left to the syncer."""
        path = self._folder / f"{self._writer}-{self._segment_number + 1:06d}.jsonl"
        file = SegmentFile(path)
        if self._file:
            self._full.append((self._segments[-1], self._file))
        self._file = file
        self._segment_number += 1
        self._segments.append(Segment(path))
        self._has_new_names = True

    def _sync_until_closed(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            began = time.monotonic()
            self._sync()
            self._closing.wait(began + self._period_seconds - time.monotonic())
        self._sync()

    def _sync(self) -> None:
        """Fsync once for all waiting records. A failed fsync is final: the kernel may have dropped the data."""
        with self._lock:
            waiters, self._waiters = self._waiters, []
            full, self._full = self._full, []
            has_new_names, self._has_new_names = self._has_new_names, False
            descriptor = self._file.copy_descriptor() if self._file and waiters else None
        try:
            self._sync_full(full)
            if has_new_names:
                sync_folder(self._folder)
            if descriptor is not None:
                os.fsync(descriptor)
        except OSError as error:
            self._fail(waiters, self._describe_failure("fsync", error))
        else:
            for waiter in waiters:
                waiter.set_result(None)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _sync_full(self, full: Iterable[tuple[Segment, SegmentFile]]) -> None:
        """Fsync and close full segments; after that, one can be removed when checkpoints hold all of it."""
        with ExitStack() as stack:
            for _, file in full:
                stack.callback(file.close)
            for _, file in full:
                file.sync()
        with self._lock:
            for segment, _ in full:
                segment.is_full = True

    def _fail(self, waiters: list[Future[None]], failure: StorageFailure) -> None:
        with self._lock:
            self._failure = failure
            waiters += self._waiters
            self._waiters = []
        for waiter in waiters:
            waiter.set_exception(failure)

    def _describe_failure(self, verb: str, error: OSError) -> StorageFailure:
        return StorageFailure(f"cannot {verb} the answer log in {self._folder}: {error.strerror}; {MAKE_ROOM}")


def list_segments(folder: Path) -> list[Path]:
    """Return the segments of all writers in the folder, the oldest writer's first."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def sync_segment(path: Path) -> None:
    """Make the contents of the segment durable: a killed process may have left some of them in the kernel's memory.

    Raises:
        OSError: the segment cannot be opened.
        StorageFailure: it cannot be fsynced.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise StorageFailure(f"cannot fsync the answer log {path}: {error.strerror}; {MAKE_ROOM}") from error
    finally:
        os.close(descriptor)


def read_segment(path: Path) -> Iterator[JsonObject | None]:
    """Yield the records of a segment in order; None for a line that does not parse. A last line that was cut off is skipped."""
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(LINE_BREAK):
                return
            try:
                yield from_line(line)
            except ValueError:
                yield None
