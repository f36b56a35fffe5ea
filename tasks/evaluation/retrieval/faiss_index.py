"""Searches by faiss-cpu (extra `rag`): an index file, a binary search with rescoring, a graph.

An index file is used as it is; one that is missing is built (`index_building`). An exact search of the vectors needs none.
"""

from pathlib import Path

import numpy as np

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.retrieval.arrays import Indices, Vectors
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.extras import import_extra
from tasks.evaluation.retrieval.index_building import pack_signs
from tasks.evaluation.retrieval.search import rescore

# How widely a graph is searched: FAISS's usual value for a recall above 0.95.
SEARCH_WIDTH = 128


class FaissIndex:
    """An index that compares vectors themselves: flat, or a graph.

    Args:
        index: of faiss.
    """

    def __init__(self, index: object) -> None:
        self._index = index

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""
        return int(self._index.d)  # type: ignore[attr-defined]

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Indices]:
        """Return the scores and the places of each query's nearest chunks, the best first."""
        _widen(self._index, count)
        scores, places = self._index.search(np.ascontiguousarray(queries), count)  # type: ignore[attr-defined]
        order = np.lexsort((places, -scores), axis=1)
        return np.take_along_axis(scores, order, axis=1), np.take_along_axis(places, order, axis=1)


class BinaryIndex:
    """Compares the signs of vectors, and rescores the nearest with the vectors themselves.

    Args:
        index: of faiss, over one bit for each number.
        corpus: holds the vectors.
        multiplier: how many times as many candidates are rescored as chunks are wanted.
        normalizes: bring the corpus's vectors to unit length first.
    """

    def __init__(self, index: object, corpus: Corpus, multiplier: int, *, normalizes: bool) -> None:
        self._index = index
        self._corpus = corpus
        self._multiplier = multiplier
        self._normalizes = normalizes

    @property
    def dimension(self) -> int:
        """Return the length of its vectors."""
        return self._corpus.dimension

    def search(self, queries: Vectors, count: int) -> tuple[Vectors, Indices]:
        """Return the scores and the places of each query's nearest chunks, the best first."""
        candidates = min(count * self._multiplier, len(self._corpus))
        _widen(self._index, candidates)
        _, places = self._index.search(pack_signs(queries), candidates)  # type: ignore[attr-defined]
        return rescore(self._corpus, queries, places.astype(np.int64), count, normalizes=self._normalizes)


def open_index_file(
    path: Path, corpus: Corpus, multiplier: int, *, is_binary: bool, normalizes: bool
) -> FaissIndex | BinaryIndex:
    """Return the index in the file.

    Raises:
        UserMistake: it cannot be read, or does not fit the corpus.
    """
    faiss = import_extra("faiss")
    try:
        index = faiss.read_index_binary(str(path)) if is_binary else faiss.read_index(str(path))
    except RuntimeError:
        kind = "binary index (precision: ubinary)" if is_binary else "index (precision: float32)"
        raise UserMistake(f"{path} cannot be read as a FAISS {kind}: fix faiss_index_path or precision") from None
    if index.ntotal != len(corpus):
        raise UserMistake(
            f"the index {path} holds {index.ntotal:,} vectors and the corpus {corpus.name} {len(corpus):,} chunks: they do not "
            "belong together; leave faiss_index_path out to search the corpus itself"
        )
    if corpus.has_vectors and index.d != corpus.dimension:
        raise UserMistake(
            f"the index {path} holds vectors of {index.d} dimensions and the corpus {corpus.name} of {corpus.dimension}"
        )
    if not is_binary and index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise UserMistake(f"the index {path} does not compare by inner product: leave faiss_index_path out")
    return BinaryIndex(index, corpus, multiplier, normalizes=normalizes) if is_binary else FaissIndex(index)


def _widen(index: object, count: int) -> None:
    """Have a graph searched widely enough for this many; as it is stored, it may be set to a width of 16."""
    graph = getattr(index, "hnsw", None)
    if graph is not None:
        graph.efSearch = max(graph.efSearch, SEARCH_WIDTH, 2 * count)
