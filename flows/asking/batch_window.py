"""A sliding window of batches, which keeps just enough task runs in flight for all workers to be busy."""

import queue
from collections.abc import Iterator

from prefect.futures import PrefectFuture
from prefect.tasks import Task

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.run import Run

BatchTask = Task[[Run, Batch], JsonObject]
BatchFuture = PrefectFuture[JsonObject]

# How long the flow's own thread waits before it looks at the bar, the signals and the checkpoint again.
TICK_SECONDS = 0.25


class BatchWindow:
    """Submits a run's open batches to a task.

    Args:
        run: provides the batches, and takes their outcomes.
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
        """Submit batches until all workers are busy; return True if anything is in flight."""
        while self._next is not None and self._run.stop_cause is None and self._has_room(self._next):
            self._submit(self._task, self._next)
            self._next = next(self._batches, None)
        return bool(self._in_flight)

    def wait(self) -> None:
        """Wait up to one tick for a batch to end, and take the outcome of each batch that has."""
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
        return in_flight < self._run.workers + len(batch.positions)

    def _submit(self, task: BatchTask, batch: Batch) -> None:
        future = task.submit(self._run, batch)
        self._in_flight[future] = batch
        future.add_done_callback(self._ended.put)

    def _take(self, batch: Batch, future: BatchFuture) -> None:
        """Take a batch's outcome. A cached one that does not finish the batch is not trusted: the batch is scored again."""
        if self._run.batches.count_open(batch) == 0:
            return
        future.wait()  # it has ended, but without this call its state would be read from the server
        if not future.state.is_completed():
            self._run.batches.note_failure(batch, future.result(raise_on_failure=False))
        elif not self._run.batches.accept(batch, future.result(raise_on_failure=False)) and self._run.stop_cause is None:
            self._submit(self._task.with_options(refresh_cache=True), batch)
