"""Batches: the questions that are scored as one task run, and each batch's result.

A result is a digest and, under `lines`, the line of each question's record, without the question's text: the questions file has
it, and it is the same wherever the id is. Earlier versions kept the whole records, under `results`. A result may come from an
earlier run's cache, from a file that was written without an fsync. It is therefore trusted only if its digest is right, and for
each question only if its id is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from tasks.evaluation.config.config import Processing
from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.json_lines import JsonObject, from_line, to_line
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
        """Return the records of a finished batch, with their digest."""
        lines = [leave_out_question(self._ledger.results.read(position)) for position in batch.positions]
        return {"digest": digest_lines(lines), "lines": [line.decode() for line in lines]}

    def accept(self, batch: Batch, outcome: object) -> bool:
        """Take what a batch's task has returned; return True if the batch is then finished.

        A damaged outcome and records of other questions are ignored.
        """
        if isinstance(outcome, dict):
            lines = read_lines(outcome)
            if len(lines) == len(batch.positions) and outcome.get("digest") == digest_lines(lines):
                self._take_results(batch, [from_line(line) for line in lines])
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


def leave_out_question(line: bytes) -> bytes:
    """Return the line of a record without the question's text; as it is if it holds none behind its number.

    The text ends at the first quotation mark before a comma and another one: within it, each would have a backslash before it.
    """
    number, found, rest = line.partition(b',"question":"')
    _, end, others = rest.partition(b'","')
    return number + b',"' + others if found and end and b'"' not in number.removeprefix(b'{"question_id"') else line


def read_lines(outcome: JsonObject) -> list[bytes]:
    """Return the lines in a batch's result, of this version or an earlier one; empty if it holds none."""
    lines, results = outcome.get("lines"), outcome.get("results")
    if isinstance(lines, list):
        return [str(line).encode(errors="surrogatepass") for line in lines]
    return [to_line(result) for result in results if isinstance(result, dict)] if isinstance(results, list) else []


def digest_lines(lines: Sequence[bytes]) -> str:
    """Return a digest of the lines and their order."""
    digest = blake2b(digest_size=16)
    for line in lines:
        digest.update(line + b"\n")
    return digest.hexdigest()
