"""Batches: the questions that are scored as one task run, and each batch's result.

A result may come from an earlier run's cache, from a file that was written without an fsync. It is therefore trusted only if
its digest is right (`batch_results`), and for each question only if its id is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.evaluation.config.config import Processing
from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.run.batch_results import pack_lines, unpack_records
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.records import is_refused

# Between these bounds, the batch size is chosen so that a run has at most about 40 task runs. One costs Prefect's server 30 ms
# of processor time, and its client 5: with batches of 50, more than asking takes.
SMALLEST_BATCH, LARGEST_BATCH, TASK_RUNS = 50, 1_000, 40


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
    """The batches of one run, cut from the whole selection.

    `failures` says by position why questions that were asked are still open.

    Args:
        ledger: what is known about the questions.
        processing: the settings.
    """

    def __init__(self, ledger: Ledger, processing: Processing) -> None:
        self.failures: dict[int, str] = {}
        self._ledger = ledger
        self._retry_refused = processing.retry_refused
        self._size = processing.batch_size or choose_batch_size(len(ledger.questions))

    def list_open(self) -> Iterator[Batch]:
        """Yield the batches in which some question is not finished."""
        count = len(self._ledger.questions)
        for start in range(0, count, self._size):
            positions = range(start, min(start + self._size, count))
            batch = Batch(positions, self._ledger.roster.cache_key(positions))
            if self.count_open(batch):
                yield batch

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

    def _take_results(self, batch: Batch, results: Sequence[JsonObject]) -> None:
        for position, result in zip(batch.positions, results, strict=True):
            is_same = result.get("score_id") == self._ledger.roster.question_ids(position).score
            question = self._ledger.questions[position] if is_same else None
            if question and (not is_refused(result) or not self._retry_refused):
                self._ledger.finish_question(position, {"question_id": 0, "question": question.text, **result})


def choose_batch_size(question_count: int) -> int:
    """Return the number of questions in a batch, which depends only on the total number of questions."""
    return min(max(-(-question_count // TASK_RUNS), SMALLEST_BATCH), LARGEST_BATCH)
