"""The checkpoint: the documented JSON file that holds every finished question of a run.

Format, one JSON object, UTF-8, its keys in this order:

    {"timestamp": "2026-11-23T14:30:22.123456", "completed_count": 2, "completed_indices": [1, 2], "results": [
    {"question_id":2,…},
    {"question_id":1,…}
    ], "metadata": {…}, "config": {…}, "version": "2.0"}

`timestamp` is local time. `results` are in the order of completion, one a line; `question_id` and `completed_indices` count the
selection from 1; completed_count == len(results) == len(completed_indices). `config` has the shape of the YAML file, keys
masked. What is ours stands under `metadata`, as `mcqa_flow`: `evaluation_id`; `run_id`, the flow run that has written it, and
`salt`, the one that alone may use its answers (empty: any may); `resumed_from`, the file that it was told to continue;
`selection`, which questions of which file, with their `digest`; `settings`, what decides about reuse.

Promise: a file is written whole under another name, fsynced, and only then renamed into place; the folder is fsynced after it.
So a visible checkpoint is valid and complete at every instant, and never changes: a reader that has opened it reads it to its
end while newer ones replace its name. A draft that a crash has left is removed, not written again. Assumes a rename that
replaces a name at once, as POSIX demands. Cost: the results' lines are copied by the kernel and serialised never again.
Downside: a save rewrites all of them, so saves are spaced (`SaveClock`).
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.storage.folders import make_folder, sync_folder
from tasks.evaluation.storage.spool import PlacedSpool
from tasks.evaluation.storage.temporary_files import name_temporary_file, publish

VERSION = "2.0"
LATEST = "latest.json"
UNFIT_CHARACTERS = frozenset('/\\:*?"<>| ')
# File systems allow 255 bytes for a name, which also holds a prefix and a time.
LONGEST_NAME_BYTES = 100


def sanitize_filename(text: str) -> str:
    """The text as a part of a file name: what file systems or shells cannot bear becomes `_`, a long one ends in its digest."""
    fit = "".join("_" if character in UNFIT_CHARACTERS or not character.isprintable() else character for character in text)
    if len(fit.encode()) <= LONGEST_NAME_BYTES:
        return fit
    return (
        fit.encode()[: LONGEST_NAME_BYTES - 9].decode(errors="ignore") + "_" + blake2b(text.encode(), digest_size=4).hexdigest()
    )


@dataclass
class SaveClock:
    """Decides when a save is due.

    A save begins when an interval is full and both a second and fifty times the last save's duration have passed since the last
    one ended. So saving takes less than 2 % of the time, however many results there are.

    With `follows_each` it begins at the first new result, a second after the last one began. So the file is a second old where
    a save takes half of one, which is some hundred thousand results; beyond that, saving takes half of the time.
    """

    interval: int
    follows_each: bool = False
    last_began: float = float("-inf")
    last_seconds: float = 0.0

    def is_due(self, new_results: int, now: float) -> bool:
        """Whether to save now, with so many results that the last save does not hold; `now` is monotonic seconds."""
        since_last = now - self.last_began
        if self.follows_each:
            return new_results > 0 and since_last >= max(1.0, 2 * self.last_seconds)
        return new_results >= self.interval and since_last - self.last_seconds >= max(1.0, 50 * self.last_seconds)

    def note(self, began: float, ended: float) -> None:
        """A save took this time."""
        self.last_began, self.last_seconds = began, ended - began


class CheckpointWriter:
    """Writes the checkpoints of one run, all under one name.

    Args:
        folder: the checkpoint directory.
        stem: what the file is called before its time: `checkpoint_{questions}_{model}`.
        results: the finished questions' records.
        metadata: gives the content of `metadata`, for a file that holds so many results.
        config: the content of `config`.
    """

    def __init__(
        self, folder: Path, stem: str, results: PlacedSpool, metadata: Callable[[int], JsonObject], config: JsonObject
    ) -> None:
        self.path: Path | None = None
        self.saved_count = -1
        self._folder = folder
        self._stem = stem
        self._results = results
        self._metadata = metadata
        self._config = config

    @property
    def unsaved_count(self) -> int:
        """How many results no checkpoint of this run holds."""
        return len(self._results) - max(self.saved_count, 0)

    def save(self, now: datetime) -> range | None:
        """Write all results there are; give the numbers of those that are newly saved, None when there is nothing new.

        Raises:
            StorageFailure: it could not be written; what was visible before still is.
        """
        count, saved = len(self._results), self.saved_count
        if count == saved:
            return None
        temporary = self._folder / name_temporary_file(self._stem)
        try:
            # A folder that has vanished takes the answer log with it: this is then the only copy.
            make_folder(self._folder)
            self._write(temporary, count, now)
            self.path = self._publish(temporary, now)
            self._point_latest(self.path)
            sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise StorageFailure(
                f"cannot save a checkpoint in {self._folder}: {error.strerror or error}; what it lacks is in the answer log: "
                f"{MAKE_ROOM}"
            ) from error
        self.saved_count = count
        return range(max(saved, 0), count)

    def _write(self, temporary: Path, count: int, now: datetime) -> None:
        """The whole document, fsynced."""
        # A draft that a crash has left may be a visible checkpoint's other name: to be removed, never written.
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            _write_all(descriptor, self._head(count, now))
            _copy(self._results.lines.descriptor, descriptor, self._results.lines.size_bytes(count))
            _write_all(descriptor, self._tail(count))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _head(self, count: int, now: datetime) -> bytes:
        indices = sorted(position + 1 for position in self._results.positions(0, count))
        return (
            f'{{"timestamp": "{now.isoformat(timespec="microseconds")}", "completed_count": {count}, '
            f'"completed_indices": {json.dumps(indices)}, "results": [\n'
        ).encode()

    def _tail(self, count: int) -> bytes:
        metadata, config = (
            json.dumps(self._metadata(count), ensure_ascii=False),
            json.dumps(self._config, ensure_ascii=False),
        )
        return f'\n], "metadata": {metadata}, "config": {config}, "version": "{VERSION}"}}\n'.encode()

    def _publish(self, temporary: Path, now: datetime) -> Path:
        """Give the draft its name: this run's, or at the first save one that nobody has."""
        if self.path:
            temporary.replace(self.path)
            return self.path
        stamp = publish(temporary, self._folder / self._stem, now)
        return self._folder / f"{self._stem}_{stamp}.json"

    def _point_latest(self, path: Path) -> None:
        """Let latest.json, a relative symbolic link, name the file; at no instant is there no link."""
        link = self._folder / LATEST
        if link.is_symlink() and link.readlink() == Path(path.name):
            return
        temporary = self._folder / name_temporary_file(LATEST)
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(path.name)
        temporary.replace(link)


def _write_all(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.write(descriptor, content[written:])


def _copy(source: int, target: int, size_bytes: int) -> None:
    """Append the first bytes of one file to another, within the kernel where it can."""
    copied = 0
    while copied < size_bytes:
        try:
            step = os.copy_file_range(source, target, size_bytes - copied, offset_src=copied)
        except (AttributeError, OSError):
            step = 0
        if step == 0:
            _copy_through_memory(source, target, copied, size_bytes)
            return
        copied += step


def _copy_through_memory(source: int, target: int, start: int, stop: int) -> None:
    while start < stop:
        piece = os.pread(source, min(1 << 20, stop - start), start)
        if not piece:
            raise OSError("a temporary file has become shorter")
        _write_all(target, piece)
        start += len(piece)
