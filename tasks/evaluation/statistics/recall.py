"""How often retrieval finds the chunk that a question was made from."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Recall:
    """Counts over questions whose record names their source."""

    with_source: int
    """The number of those questions."""
    found: int
    """The number of those whose source was among the chunks."""
    at: tuple[float, ...]
    """For each k from 1, the share whose source was among the first k chunks; empty if no record names a source."""

    @property
    def hit_rate(self) -> float | None:
        """Return the share whose source was found; None if no record names a source."""
        return self.found / self.with_source if self.with_source else None


def measure_recall(ranks: Sequence[int | None], top_k: int) -> Recall:
    """Return how often the source was found.

    Args:
        ranks: each question's place of its source, from 1; 0: not found; None: its record names none.
        top_k: the number of chunks.
    """
    known = [rank for rank in ranks if rank is not None]
    at = tuple(sum(0 < rank <= k for rank in known) / len(known) for k in range(1, top_k + 1)) if known else ()
    return Recall(len(known), sum(rank > 0 for rank in known), at)
