"""The scores of a board's cells beside each other: a column for each question, whoever has scored it.

It takes 8 bytes for each cell and question. Two cells are compared on the questions that both have scored, so that a cell with
few scores takes nothing from the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.comparing.columns import NO_VALUE, RunColumns
from tasks.evaluation.comparing.comparison import CONFIDENCE, single_out
from tasks.evaluation.comparing.matching import number_questions
from tasks.evaluation.comparing.pairs import Pair, pair_scores
from tasks.evaluation.statistics.arrays import Codes

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@dataclass(frozen=True)
class ScoreMatrix:
    """The scores of several cells, matched by the questions' content."""

    names: tuple[str, ...]
    """What the cells are called."""
    scores: Matrix
    """A row for each cell and a column for each question; NaN without a score."""
    clusters: Codes | None
    """The cluster of each question; None: each is one of its own."""

    def count_shared(self, a: int, b: int) -> int:
        """Return how many questions both cells have scored."""
        return int((~np.isnan(self.scores[a]) & ~np.isnan(self.scores[b])).sum())

    def compare(self, a: int, b: int) -> Pair | None:
        """Return two cells beside each other, compared with nothing else; None if no question is scored in both."""
        is_shared = ~np.isnan(self.scores[a]) & ~np.isnan(self.scores[b])
        if not is_shared.any():
            return None
        clusters = None if self.clusters is None else self.clusters[is_shared]
        names = self.names[a], self.names[b]
        return pair_scores(names, self.scores[a][is_shared], self.scores[b][is_shared], clusters, confidence=CONFIDENCE)


def build_matrix(names: Sequence[str], columns: Sequence[RunColumns]) -> ScoreMatrix:
    """Return the cells' scores.

    Args:
        names: what they are called.
        columns: their scores.
    """
    if not columns:
        return ScoreMatrix((), np.empty((0, 0)), None)
    keys = number_questions([each.digests for each in columns], [each.question_ids for each in columns])
    every = np.unique(np.concatenate(keys))
    scores = np.full((len(columns), len(every)), np.nan)
    clusters = np.full(len(every), NO_VALUE, dtype=np.int64)
    for row, (own, each) in enumerate(zip(keys, columns, strict=True)):
        places = np.searchsorted(every, own)
        scores[row, places] = each.scores
        clusters[places] = np.where(clusters[places] == NO_VALUE, each.clusters, clusters[places])
    return ScoreMatrix(tuple(names), scores, single_out(clusters))
