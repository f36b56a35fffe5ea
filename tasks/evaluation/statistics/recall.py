"""How often retrieval finds the chunk that a question was made from."""

from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.arrays import Codes


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

    def to_json(self) -> JsonObject:
        """Return the same as JSON."""
        return {"hit_rate": self.hit_rate, "recall_at": list(self.at), "with_source": self.with_source}


def measure_recall(ranks: Codes, top_k: int) -> Recall:
    """Return how often the source was found.

    Args:
        ranks: the place of its source for each question whose record names one, from 1; 0: not found.
        top_k: the number of chunks.
    """
    found = ranks > 0
    at = tuple(float((found & (ranks <= k)).mean()) for k in range(1, top_k + 1)) if len(ranks) else ()
    return Recall(len(ranks), int(found.sum()), at)
