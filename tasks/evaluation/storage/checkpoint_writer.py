"""The writer of a run's checkpoints (`checkpoint` documents the file).

Promise: every file is written durably (`durable_files`), so a visible checkpoint is valid and complete at every instant. Cost:
the results' lines are copied by the kernel and never serialised again. Downside: a save rewrites all of them, so saves are
spaced out (`save_clock`). The run reads the results of a large file back from it, so a program that overwrites it in place
stops the run.
"""

import os
from array import array
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

import numpy as np

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.storage.checkpoint import LATEST, build_head, build_tail
from tasks.evaluation.storage.durable_files import claim_time, write_bytes, write_durably
from tasks.evaluation.storage.folders import make_folder
from tasks.evaluation.storage.placed_spool import PlacedSpool
from tasks.evaluation.storage.shared_file import SharedFile
from tasks.evaluation.storage.temporary_files import name_temporary_file

# From this size on, the results are not kept on the disk twice. A smaller run keeps a copy of its own beside its checkpoint, so
# that nothing depends on what others do to that file.
SHARED_FROM_BYTES = 1 << 25


class CheckpointWriter:
    """Writes the checkpoints of one run, all under one name.

    `path` is the file, or None before the first save. `saved_count` is the number of results in it, or -1 before that.

    Args:
        folder: the checkpoint directory.
        stem: the file's name before its time: `checkpoint_{questions}_{model}`.
        results: the finished questions' records.
        metadata: returns the content of `metadata` for a file with the given number of results.
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
        # Where the file of the last save begins its results, and which file it is.
        self._head_bytes = self._inode = 0

    @property
    def unsaved_count(self) -> int:
        """Return the number of results that no checkpoint of this run holds."""
        return len(self._results) - max(self.saved_count, 0)

    def save(self, now: datetime) -> range | None:
        """Write all results; return the numbers of the newly saved ones, or None if nothing is new.

        Raises:
            StorageFailure: the checkpoint could not be written; the previous one is still visible.
        """
        count, saved = len(self._results), self.saved_count
        if count == saved:
            return None
        try:
            # If the folder has vanished, so has the answer log: this is then the only copy.
            make_folder(self._folder)
            write_durably(
                self._folder / name_temporary_file(self._stem),
                lambda descriptor: self._write(descriptor, count, now),
                lambda temporary: self._publish(temporary, now),
            )
        except OSError as error:
            raise StorageFailure(
                f"cannot save a checkpoint in {self._folder}: {error.strerror or error}; what it lacks is in the answer log: "
                f"{MAKE_ROOM}"
            ) from error
        self.saved_count = count
        if self._results.lines.size_bytes(count) >= SHARED_FROM_BYTES:
            self._share(count)
        return range(max(saved, 0), count)

    def _write(self, descriptor: int, count: int, now: datetime) -> None:
        """Write the whole document."""
        numbers = np.sort(np.array(self._results.positions(0, count), dtype=np.int64)) + 1
        head = build_head(now, array("q", numbers.tobytes()))
        self._head_bytes = len(head)
        write_bytes(descriptor, head)
        self._results.lines.copy(descriptor, count)
        write_bytes(descriptor, build_tail(self._metadata(count), self._config))

    def _share(self, count: int) -> None:
        """Let the file that was just published stand for the results' temporary copy; if that fails, there are both."""
        assert self.path
        with suppress(OSError), ExitStack() as on_failure:
            descriptor = os.open(self.path, os.O_RDONLY)
            on_failure.callback(os.close, descriptor)
            if os.fstat(descriptor).st_ino == self._inode:
                self._results.lines.share(SharedFile(descriptor, self._head_bytes, count))
                on_failure.pop_all()

    def _publish(self, temporary: Path, now: datetime) -> None:
        """Give the temporary file this run's name (at the first save, a name not yet taken), and point latest.json to it."""
        self._inode = temporary.stat().st_ino
        if self.path:
            temporary.replace(self.path)
        else:
            stamp = claim_time(self._folder / self._stem, now)(temporary)
            self.path = self._folder / f"{self._stem}_{stamp}.json"
        self._point_latest(self.path)

    def _point_latest(self, path: Path) -> None:
        """Point latest.json, a relative symbolic link, to the file; once made, the link exists at every instant."""
        link = self._folder / LATEST
        if link.is_symlink() and link.readlink() == Path(path.name):
            return
        temporary = self._folder / name_temporary_file(LATEST)
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(path.name)
        temporary.replace(link)
