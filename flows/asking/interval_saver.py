"""Checkpoints at intervals, written one at a time while the scoring goes on."""

import threading

from prefect.futures import PrefectFuture

from tasks.artifacts import Artifacts
from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.run.run import Run
from tasks.save_checkpoint import save_checkpoint


class IntervalSaver:
    """Saves a run's checkpoint, and shows its progress, whenever a save is due."""

    def __init__(self, run: Run, artifacts: Artifacts) -> None:
        self._run = run
        self._artifacts = artifacts
        self._saving: PrefectFuture[str | None] | None = None
        self._has_ended = threading.Event()

    def save_when_due(self) -> None:
        """Start a save if one is due and no other is running."""
        if self._saving and self._has_ended.is_set():
            self.wait()
        if self._saving is None and self._run.saver.is_due():
            self._has_ended.clear()
            self._saving = save_checkpoint.submit(self._run, self._artifacts)
            self._saving.add_done_callback(lambda _: self._has_ended.set())

    def wait(self) -> None:
        """Wait for the running save, if any; if it failed, stop the run before more is paid for."""
        if self._saving is None:
            return
        self._saving.wait()
        if not self._saving.state.is_completed():
            self._run.stop(StorageFailure(str(self._saving.result(raise_on_failure=False))))
        self._saving = None
