"""The exact search: inner products of queries with every vector of the corpus, block by block, by numpy alone.

The last digit of a product by BLAS depends on the vectors that are multiplied beside it, so that equal chunks could come in any
order. The nearest, and a few more, are therefore computed again, each by itself and in double precision.
"""

from typing import Protocol

import numpy as np

from tasks.evaluation.retrieval.arrays import AnyArray, Indices, Vectors, normalize
from tasks.evaluation.retrieval.corpus import Corpus

NO_CHUNK = -1
# More candidates than wanted, among which rounding could have changed the order.
MORE_CANDIDATES = 16


class Index(Protocol):
    """Finds the nearest chunks."""

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Indices]:
        """Return the scores and the places of each query's nearest chunks, the best first."""


class ExactIndex:
    """Compares a query with every vector of the corpus; memory is bounded by a block, however large the corpus is.

    Args:
        corpus: whose vectors are searched.
        normalizes: bring its vectors to unit length first.
    """

    def __init__(self, corpus: Corpus, *, normalizes: bool = False) -> None:
        self._corpus = corpus
        self._normalizes = normalizes

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""
        return self._corpus.dimension

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Indices]:
        """Return the scores and the places of each query's nearest chunks, the best first; of equal ones the earlier."""
        wanted = min(count + MORE_CANDIDATES, len(self._corpus))
        scores: AnyArray = np.full((len(queries), 0), -np.inf, dtype=np.float32)
        places: AnyArray = np.full((len(queries), 0), NO_CHUNK, dtype=np.int64)
        for first, block in self._corpus.blocks():
            products = queries @ (normalize(block) if self._normalizes else block).T
            if scores.shape[1] == wanted:  # only what is as near as the last of them can take its place
                found, columns = _gather(products, products >= scores[:, -1:])
            else:
                found, columns = take_best(products, np.broadcast_to(np.arange(len(block)), products.shape), wanted)
            scores, places = take_best(np.hstack([scores, found]), np.hstack([places, columns + first]), wanted)
        return rescore(self._corpus, queries, places, count, normalizes=self._normalizes)


def _gather(products: AnyArray, is_chosen: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Return the chosen products of each row with their columns, as far left as possible; the rest of a row is -inf."""
    rows, columns = np.nonzero(is_chosen)
    counts = np.bincount(rows, minlength=len(products))
    targets = np.arange(len(rows)) - np.repeat(counts.cumsum() - counts, counts)
    scores = np.full((len(products), counts.max(initial=0)), -np.inf, dtype=np.float32)
    places = np.full(scores.shape, NO_CHUNK, dtype=np.int64)
    scores[rows, targets], places[rows, targets] = products[rows, columns], columns
    return scores, places


def rescore(corpus: Corpus, queries: Vectors, candidates: Indices, count: int, *, normalizes: bool) -> tuple[Vectors, Indices]:
    """Return the `count` best of each query's candidates, with their scores."""
    scores = np.full(candidates.shape, -np.inf, dtype=np.float32)
    for row, (query, places) in enumerate(zip(queries, candidates, strict=True)):
        vectors = corpus.vectors([int(place) for place in places if place != NO_CHUNK])
        vectors = normalize(vectors) if normalizes else vectors
        scores[row, places != NO_CHUNK] = (vectors.astype(np.float64) * query).sum(axis=1)
    return take_best(scores, candidates, count)


def take_best(scores: AnyArray, places: AnyArray, count: int) -> tuple[Vectors, Indices]:
    """Return the `count` highest scores of each row with their places, in falling order; of equal scores the lower place."""
    if scores.shape[1] > count:
        # The lowest score that is taken may be shared by others, of which the lowest places count.
        lowest = -np.partition(-scores, count - 1, axis=1)[:, count - 1 : count]
        width = int((scores >= lowest).sum(axis=1).max())
        chosen = np.argpartition(-scores, width - 1, axis=1)[:, :width] if width < scores.shape[1] else None
        if chosen is not None:
            scores, places = np.take_along_axis(scores, chosen, axis=1), np.take_along_axis(places, chosen, axis=1)
    order = np.lexsort((places, -scores), axis=1)[:, :count]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(places, order, axis=1)
