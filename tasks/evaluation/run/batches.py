"""Batches: the questions that are scored as one task run, and each batch's result.

A result may come from an earlier run's cache, from a file that was written without an fsync. It is therefore trusted only if
its digest is right (`batch_results`), and for each question only if its id is.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.config.processing_settings import Processing
from tasks.evaluation.config.shards import Shard
from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batch_results import pack_lines, unpack_records
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import is_refused

# Between these bounds, the batch size is chosen so that a run has at most about 40 task runs. One costs Prefect's server 30 ms
# of processor time, and its client 5: with batches of 50, more than asking takes.
SMALLEST_BATCH, LARGEST_BATCH, TASK_RUNS = 50, 1_000, 40
# Shards are made of whole batches, and differ by one at most: of 64 shards, each has some six of 400. A batch is also what
# another machine finds in a result storage, so that a smaller one is carried there earlier.
SMALLEST_SHARED_BATCH, SHARED_TASK_RUNS = 10, 400


@dataclass(frozen=True)
class Batch:
    """Questions that are scored as one task."""

    positions: range
    """Their positions in the selection, from 0."""
    cache_key: str
    """The key under which their result is cached."""

    def __str__(self) -> str:
        return f"questions {self.positions.start + 1:,}-{self.positions.stop:,}"


class Batches:
    """The batches of one run: of the whole selection, or of a shard.

    `failures` says by position why questions that were asked are still open.

    Args:
        ledger: what is known about the questions.
        processing: the settings.
        size: the number of questions in each batch but the last, as `choose_batch_size` returns it.
    """

    def __init__(self, ledger: Ledger, processing: Processing, size: int) -> None:
        self.failures: dict[int, str] = {}
        self._ledger = ledger
        self._retry_refused = processing.retry_refused
        self._size = size

    def list_open(self) -> Iterator[Batch]:
        """Yield the batches in which some question is not finished."""
        return (batch for batch in self._list() if self.count_open(batch))

    def list_finished(self) -> Iterator[Batch]:
        """Yield the batches in which every question is finished."""
        return (batch for batch in self._list() if not self.count_open(batch))

    def count_open(self, batch: Batch) -> int:
        """Return how many of the batch's questions are not finished."""
        return sum(1 for _ in self._ledger.open_positions(batch.positions))

    def collect(self, batch: Batch) -> JsonObject:
        """Return the result of a finished batch: its records, packed."""
        return pack_lines(self._ledger.results.read(position) for position in batch.positions)

    def accept(self, batch: Batch, outcome: object) -> bool:
        """Take what a batch's task has returned; return True if the batch is then finished.

        A damaged outcome and records of other questions are ignored.
        """
        records = unpack_records(outcome) if isinstance(outcome, dict) else []
        if len(records) == len(batch.positions):
            self._take_results(batch, records)
        return self.count_open(batch) == 0

    def note_failure(self, batch: Batch, failure: object) -> None:
        """Remember why questions of the batch are unscored."""
        if isinstance(failure, UnfinishedBatch):
            self.failures.update(failure.failures)
        else:
            self.failures.update(dict.fromkeys(self._ledger.open_positions(batch.positions), str(failure)))

    def _list(self) -> Iterator[Batch]:
        count = len(self._ledger.questions)
        for start in range(0, count, self._size):
            positions = range(start, min(start + self._size, count))
            yield Batch(positions, self._ledger.roster.cache_key(positions))

    def _take_results(self, batch: Batch, results: Sequence[JsonObject]) -> None:
        for position, result in zip(batch.positions, results, strict=True):
            is_same = result.get("score_id") == self._ledger.roster.question_ids(position).score
            question = self._ledger.questions[position] if is_same else None
            if question and (not is_refused(result) or not self._retry_refused):
                self._ledger.finish_question(position, {"question_id": 0, "question": question.text, **result})


def choose_batch_size(question_count: int, processing: Processing) -> int:
    """Return the number of questions in each batch but the last.

    It never depends on the shard or the number of shards. Where results are shared, it is the same with and without shards.

    Args:
        question_count: the number of questions in the whole selection.
        processing: the settings.
    """
    if processing.batch_size:
        return processing.batch_size
    is_shared = bool(processing.shard or processing.result_storage)
    smallest, task_runs = (SMALLEST_SHARED_BATCH, SHARED_TASK_RUNS) if is_shared else (SMALLEST_BATCH, TASK_RUNS)
    return min(max(-(-question_count // task_runs), smallest), LARGEST_BATCH)


def list_shard(question_count: int, batch_size: int, shard: Shard) -> Sequence[int]:
    """Return the positions of the shard's questions in the whole selection.

    Only the last batch of the whole may be smaller, and it is the last of its shard: so these positions, cut by the same size,
    make the same batches.
    """
    positions = np.arange(question_count, dtype=np.uint64)
    return array("Q", positions[positions // batch_size % shard.count == shard.number].tobytes())
