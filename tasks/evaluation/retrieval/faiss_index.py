"""Searches by faiss-cpu (extra `rag`): an index file, a binary search with rescoring, a graph.

An index file is used as it is. One that is missing is built from the corpus's vectors, and written where the settings name it;
for an exact search of the vectors themselves none is needed.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.retrieval.arrays import AnyArray, Indices, Vectors, normalize
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.extras import import_extra
from tasks.evaluation.retrieval.search import rescore
from tasks.evaluation.storage.durable_files import replace_file, write_durably, write_pieces

BITS = 8
# An index is written in pieces of this size.
PIECE_BYTES = 1 << 22
# Links of each chunk in the graph, and how widely it is searched: FAISS's usual values for a recall above 0.95.
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 32, 200, 128


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

    def serialize(self) -> AnyArray:
        """Return the bytes of its file."""
        content: AnyArray = import_extra("faiss").serialize_index(self._index)
        return content

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

    def serialize(self) -> AnyArray:
        """Return the bytes of its file."""
        content: AnyArray = import_extra("faiss").serialize_index_binary(self._index)
        return content

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


def build_binary(corpus: Corpus, multiplier: int, *, normalizes: bool, is_graph: bool) -> BinaryIndex:
    """Return a binary index of the corpus."""
    faiss = import_extra("faiss")
    if corpus.dimension % BITS:
        raise UserMistake(f"precision: ubinary needs vectors whose length is a multiple of {BITS}, not {corpus.dimension}")
    index = faiss.IndexBinaryHNSW(corpus.dimension, LINKS) if is_graph else faiss.IndexBinaryFlat(corpus.dimension)
    if is_graph:
        index.hnsw.efConstruction = BUILD_WIDTH
    _fill(index.add, corpus, pack_signs)
    return BinaryIndex(index, corpus, multiplier, normalizes=normalizes)


def build_graph(corpus: Corpus, *, normalizes: bool) -> FaissIndex:
    """Return a graph (HNSW) of the corpus."""
    faiss: ModuleType = import_extra("faiss")
    index = faiss.IndexHNSWFlat(corpus.dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = BUILD_WIDTH
    _fill(index.add, corpus, normalize if normalizes else np.ascontiguousarray)
    return FaissIndex(index)


def save_index(index: FaissIndex | BinaryIndex, path: Path) -> None:
    """Write an index that was built; the file is whole and on disk when it has its name.

    Raises:
        OSError: it cannot be written.
    """
    content = index.serialize()
    pieces = (content[start : start + PIECE_BYTES].tobytes() for start in range(0, len(content), PIECE_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    write_durably(temporary, lambda descriptor: write_pieces(descriptor, pieces), replace_file(path))


def pack_signs(vectors: Vectors) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return one bit for each number, set where it is above 0."""
    return np.packbits(vectors > 0, axis=1)


def _widen(index: object, count: int) -> None:
    """Have a graph searched widely enough for this many; as it is stored, it may be set to a width of 16."""
    graph = getattr(index, "hnsw", None)
    if graph is not None:
        graph.efSearch = max(graph.efSearch, SEARCH_WIDTH, 2 * count)


def _fill(add: Callable[[object], None], corpus: Corpus, convert: Callable[[Vectors], object]) -> None:
    for _, block in corpus.blocks():
        add(convert(block))
