"""The sliding window of batches: as many task runs in flight as keep the workers busy, and no more."""

import queue
from collections.abc import Iterator

from prefect.futures import PrefectFuture
from prefect.tasks import Task

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.run import Run

BatchTask = Task[[Run, Batch], JsonObject]
BatchFuture = PrefectFuture[JsonObject]

# How long the flow's own thread rests between looks at the bar, the signals and the checkpoint.
TICK_SECONDS = 0.25


class BatchWindow:
    """Submits a run's open batches to a task.

    Args:
        run: gives the batches, and takes what comes of them.
        task: scores a batch.
    """

    def __init__(self, run: Run, task: BatchTask) -> None:
        self._run = run
        self._task = task
        self._batches: Iterator[Batch] = run.batches.list_open()
        self._next = next(self._batches, None)
        self._in_flight: dict[BatchFuture, Batch] = {}
        self._ended: queue.SimpleQueue[BatchFuture] = queue.SimpleQueue()

    def fill(self) -> bool:
        """Submit the batches that the workers can use; return True if anything is in flight."""
        while self._next is not None and self._run.stop_cause is None and self._has_room(self._next):
            self._submit(self._task, self._next)
            self._next = next(self._batches, None)
        return bool(self._in_flight)

    def wait(self) -> None:
        """Wait until a batch has ended, for a tick at most, and take the outcome of each that has."""
        try:
            future = self._ended.get(timeout=TICK_SECONDS)
            while True:
                self._take(self._in_flight.pop(future), future)
                future = self._ended.get_nowait()
        except queue.Empty:
            pass

    def _has_room(self, batch: Batch) -> bool:
        """Return True if another batch is needed to keep all workers busy."""
        in_flight = sum(self._run.batches.count_open(each) for each in self._in_flight.values())
        return in_flight < self._run.config.processing.parallel_workers + len(batch.positions)

    def _submit(self, task: BatchTask, batch: Batch) -> None:
        future = task.submit(self._run, batch)
        self._in_flight[future] = batch
        future.add_done_callback(self._ended.put)

    def _take(self, batch: Batch, future: BatchFuture) -> None:
        """Take a batch's outcome; a cached one that does not finish the batch is not believed, and scored again."""
        if self._run.batches.count_open(batch) == 0:
            return
        future.wait()  # it has ended; only now does it know its own state, which is else read from the server
        if not future.state.is_completed():
            self._run.batches.note_failure(batch, future.result(raise_on_failure=False))
        elif not self._run.batches.accept(batch, future.result(raise_on_failure=False)) and self._run.stop_cause is None:
            self._submit(self._task.with_options(refresh_cache=True), batch)
