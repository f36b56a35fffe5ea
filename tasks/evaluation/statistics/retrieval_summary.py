"""What retrieval has found, and how the questions were answered for which it found the right chunk, or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.accuracy import Accuracy, measure_scores
from tasks.evaluation.statistics.arrays import Bools, Codes, Floats
from tasks.evaluation.statistics.recall import Recall, measure_recall

# In place of a source's rank: the question's record names no source, and nothing was retrieved for it.
NO_SOURCE, NOT_RETRIEVED = -1, -2


@dataclass(frozen=True)
class RetrievalTable:
    """What was retrieved for questions, one row each; every column has the same length."""

    ranks: Codes
    """The place, from 1, of the chunk that the question was made from; 0: it was not found; `NO_SOURCE`; `NOT_RETRIEVED`."""
    counts: Codes
    """The number of chunks that were found."""
    scores: Floats
    """The best one's score; NaN where none was found."""
    dropped: Codes
    """The number of those that were left out because the context was too long."""

    def select(self, chosen: Bools | Codes) -> "RetrievalTable":
        """Return the chosen rows, in that order."""
        return RetrievalTable(self.ranks[chosen], self.counts[chosen], self.scores[chosen], self.dropped[chosen])


@dataclass(frozen=True)
class RetrievalSummary:
    """Retrieval over the scored questions of a run."""

    count: int
    """The number of questions for which it searched."""
    without_any: int
    """The number of those for which no chunk reached the threshold."""
    dropped: int
    """The number of chunks that were left out because a context was too long."""
    score: float | None
    """The best chunk's score, on average; None if no chunk was found."""
    recall: Recall
    """How often it found the chunk that a question was made from."""
    where_found: Accuracy | None
    """The accuracy where it did; None without such a question."""
    where_not: Accuracy | None
    """The accuracy where it did not; None without such a question."""
    by_group: Mapping[str, Recall]
    """The same as `recall` for each group; empty without groups, and where no record names a source."""

    def to_json(self) -> JsonObject:
        """Return the summary as files hold it."""
        return {
            "questions": self.count,
            "without_any_chunk": self.without_any,
            "chunks_dropped": self.dropped,
            "mean_best_score": self.score,
            **self.recall.to_json(),
            "where_found": self.where_found.to_json() if self.where_found else None,
            "where_not_found": self.where_not.to_json() if self.where_not else None,
            "by_group": {name: recall.to_json() for name, recall in self.by_group.items()},
        }


def summarize_retrieval(
    table: RetrievalTable, scores: Floats, clusters: Codes | None, groups: tuple[Codes, Sequence[str]]
) -> RetrievalSummary | None:
    """Return what retrieval has found; None if nothing was searched for.

    Args:
        table: the scored questions.
        scores: their scores.
        clusters: the cluster of each; None if each stands for itself.
        groups: the group of each, as its place in the names; and the names, empty without groups.
    """
    is_retrieved = table.ranks != NOT_RETRIEVED
    if not is_retrieved.any():
        return None
    has_any, is_known = table.counts > 0, table.ranks >= 0
    top_k = int(table.counts.max())
    return RetrievalSummary(
        count=int(is_retrieved.sum()),
        without_any=int((is_retrieved & ~has_any).sum()),
        dropped=int(table.dropped[is_retrieved].sum()),
        score=float(table.scores[has_any].mean()) if has_any.any() else None,
        recall=measure_recall(table.ranks[is_known], top_k),
        where_found=_measure(scores, clusters, table.ranks > 0),
        where_not=_measure(scores, clusters, table.ranks == 0),
        by_group=_measure_groups(table.ranks[is_known], groups[0][is_known], groups[1], top_k) if groups[1] else {},
    )


def _measure_groups(ranks: Codes, codes: Codes, names: Sequence[str], top_k: int) -> dict[str, Recall]:
    """Return the recall of each group in which a record names its source, in the order of their names."""
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    parts = np.split(ranks[order], starts[1:])
    return dict(sorted((names[int(code)], measure_recall(part, top_k)) for code, part in zip(present, parts, strict=False)))


def _measure(scores: Floats, clusters: Codes | None, is_chosen: Bools) -> Accuracy | None:
    return measure_scores(scores[is_chosen], None if clusters is None else clusters[is_chosen])
