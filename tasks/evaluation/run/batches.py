"""Batches: the questions that are scored as one task run, and the digest that tells whether a stored result is theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

# Between these bounds, the batch size is chosen so that a run has at most about 2,000 task runs.
SMALLEST_BATCH, LARGEST_BATCH, TASK_RUNS = 50, 1_000, 2_000


@dataclass(frozen=True)
class Batch:
    """Questions that are scored as one task: their positions, and the name of what comes of them."""

    positions: range
    cache_key: str

    def __str__(self) -> str:
        return f"questions {self.positions.start + 1:,}-{self.positions.stop:,}"


def choose_batch_size(question_count: int) -> int:
    """The number of questions in a batch, which depends on the number of questions alone."""
    return min(max(-(-question_count // TASK_RUNS), SMALLEST_BATCH), LARGEST_BATCH)


def digest_lines(lines: Sequence[bytes]) -> str:
    """A digest of the lines and their order."""
    digest = blake2b(digest_size=16)
    for line in lines:
        digest.update(line + b"\n")
    return digest.hexdigest()
