"""When a run's checkpoints are written, and which of the older ones stay."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.resuming.housekeeping import prune
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.storage.checkpoint_folder import find_checkpoints
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.free_space import count_needed_bytes, find_shortage
from tasks.evaluation.storage.layout import OWN_FOLDER
from tasks.evaluation.storage.save_clock import SaveClock

ROOM_CHECK_SECONDS = 1.0


class Saver:
    """Writes the checkpoints of one run, or nothing if checkpointing is off.

    Args:
        ledger: what is saved.
        config: the settings.
        describe: returns the metadata of a file that holds the given number of results.
        notify: takes what the user should know.
        now: returns the local time, which names a checkpoint.
    """

    def __init__(
        self,
        ledger: Ledger,
        config: Config,
        describe: Callable[[int], JsonObject],
        notify: Callable[[str], None],
        now: Callable[[], datetime],
    ) -> None:
        processing = config.processing
        self._ledger = ledger
        self._config = config
        self._notify = notify
        self._now = now
        self._clock = SaveClock(processing.checkpoint_interval, follows_each=processing.save_incremental)
        self._writer = self._make_writer(describe) if processing.enable_checkpointing else None
        self._room_checked_at = 0.0

    @property
    def path(self) -> Path | None:
        """Return the path of this run's checkpoint; None before the first save."""
        return self._writer.path if self._writer else None

    def is_due(self) -> bool:
        """Return True if the checkpoint should be written now."""
        return self._writer is not None and self._clock.is_due(self._writer.unsaved_count, time.monotonic())

    def save(self) -> Path | None:
        """Write the checkpoint if there is anything new; return its path, or None if nothing was written.

        Raises:
            StorageFailure: it cannot be written.
        """
        started = time.monotonic()
        saved = self._writer.save(self._now()) if self._writer else None
        if saved is None:
            return None
        self._clock.note(started, time.monotonic())
        if self._ledger.log:
            self._ledger.log.release(self._ledger.results.positions(saved.start, saved.stop))
        if saved.stop:
            self._notify(f"💾 Checkpoint saved: {self.path} ({saved.stop:,} results)")
        return self.path

    def find_failure(self) -> StorageFailure | None:
        """Return why no more answers can be kept: a failed log, or no space for the next checkpoint; None if they can be."""
        failure = self._ledger.log.failure if self._ledger.log else None
        if self._writer is None or failure or time.monotonic() - self._room_checked_at < ROOM_CHECK_SECONDS:
            return failure
        self._room_checked_at = time.monotonic()
        results = self._ledger.results
        needed = results.lines.size_bytes(len(results)) + count_needed_bytes(self._config)
        return find_shortage(Path(self._config.processing.checkpoint_directory, OWN_FOLDER), needed)

    def prune(self) -> None:
        """Remove this evaluation's older checkpoints, except for as many of the newest as the settings keep.

        One that cannot be removed is reported; it takes up space, but does not affect the results.
        """
        keep, folder = self._config.processing.keep_checkpoints, Path(self._config.processing.checkpoint_directory)
        if keep is None or self._writer is None:
            return
        mine = [
            each for each in find_checkpoints(folder, self._notify) if each.evaluation_id == self._ledger.roster.evaluation_id
        ]
        try:
            prune(folder, mine, keep)
        except StorageFailure as failure:
            self._notify(f"⚠️ {failure}")

    def _make_writer(self, describe: Callable[[int], JsonObject]) -> CheckpointWriter:
        questions, model = Path(self._config.questions_file).stem, self._config.model.generator_settings.model
        return CheckpointWriter(
            Path(self._config.processing.checkpoint_directory),
            f"checkpoint_{sanitize_filename(questions)}_{sanitize_filename(model)}",
            self._ledger.results,
            describe,
            self._config.for_files(),
        )
