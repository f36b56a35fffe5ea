"""Building the index that the settings name: shown while it goes on, kept at intervals, continued after a kill, written whole.

What is built is kept beside the index, under a name that holds a digest of everything that decides about it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from tasks.evaluation.errors import StorageFailure, UserMistake
from tasks.evaluation.retrieval.arrays import AnyArray, Vectors, normalize
from tasks.evaluation.retrieval.corpus import Corpus
from tasks.evaluation.retrieval.extras import import_extra
from tasks.evaluation.storage.durable_files import replace_file, write_durably, write_pieces
from tasks.evaluation.storage.temporary_files import name_temporary_file

BITS = 8
# Links of each chunk in the graph, and how widely it is searched when one is added: FAISS's usual values.
LINKS, BUILD_WIDTH = 32, 200
# Vectors are added this many at a time: a graph takes some seconds for them.
ROWS_AT_ONCE = 2_000
# An index is written in pieces of this size.
PIECE_BYTES = 1 << 22
SHOW_SECONDS, KEEP_SECONDS = 30.0, 60.0
# Keeping what is built takes no more than about a twentieth of the time.
KEEP_RATIO = 20


@dataclass(frozen=True)
class Plan:
    """Which index is built."""

    is_binary: bool
    """Of the vectors' signs, in place of the vectors."""
    is_graph: bool
    """A graph (HNSW), in place of all vectors in their order."""
    normalizes: bool
    """Bring the corpus's vectors to unit length first."""

    def make(self, dimension: int) -> Any:
        """Return an empty index of faiss.

        Raises:
            UserMistake: faiss has no such index for vectors of this length.
        """
        faiss = import_extra("faiss")
        if self.is_binary and dimension % BITS:
            raise UserMistake(f"precision: ubinary needs vectors whose length is a multiple of {BITS}, not {dimension}")
        if self.is_binary and not self.is_graph:
            return faiss.IndexBinaryFlat(dimension)
        made = faiss.IndexBinaryHNSW(dimension, LINKS) if self.is_binary else _make_graph(faiss, dimension)
        made.hnsw.efConstruction = BUILD_WIDTH
        return made

    def convert(self, vectors: Vectors) -> AnyArray:
        """Return the vectors as the index takes them."""
        if self.is_binary:
            return pack_signs(vectors)
        return normalize(vectors) if self.normalizes else np.ascontiguousarray(vectors)

    def serialize(self, index: object) -> AnyArray:
        """Return the bytes of the index's file."""
        faiss = import_extra("faiss")
        content: AnyArray = faiss.serialize_index_binary(index) if self.is_binary else faiss.serialize_index(index)
        return content

    def read(self, path: Path) -> Any:
        """Return the index in the file; raises RuntimeError if it holds none of this kind."""
        faiss = import_extra("faiss")
        return faiss.read_index_binary(str(path)) if self.is_binary else faiss.read_index(str(path))


def build_index(plan: Plan, corpus: Corpus, path: Path | None, notify: Callable[[str], None]) -> Any:
    """Return an index of faiss with all vectors of the corpus, and write it.

    Args:
        plan: which.
        corpus: holds the vectors.
        path: where it is written; None: nowhere.
        notify: takes what the user should know.

    Raises:
        UserMistake: there is no such index for the corpus's vectors.
    """
    part = name_part(plan, corpus, path) if path else None
    index = (_read_part(plan, corpus, part) if part else None) or plan.make(corpus.dimension)
    shown = kept = time.monotonic()
    saving_seconds = 0.0
    for piece in _list_pieces(corpus, index.ntotal):
        index.add(plan.convert(piece))
        now = time.monotonic()
        if now - shown >= SHOW_SECONDS:
            shown = now
            notify(f"Building the index of {corpus.name}: {index.ntotal:,} of {len(corpus):,} chunks")
        if part and now - kept >= max(KEEP_SECONDS, KEEP_RATIO * saving_seconds):
            with suppress(OSError, StorageFailure):  # it is only to save time
                write_index(plan, index, part)
            kept = time.monotonic()
            saving_seconds = kept - now
    if path and part:
        _write_whole(plan, index, path, part, notify)
    return index


def write_index(plan: Plan, index: object, path: Path) -> None:
    """Write the index; the file is whole and on disk when it has its name.

    Raises:
        OSError: it cannot be written.
        StorageFailure: it cannot be made durable.
    """
    content = plan.serialize(index)
    pieces = (content[start : start + PIECE_BYTES].tobytes() for start in range(0, len(content), PIECE_BYTES))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(name_temporary_file(f"mcqa_{path.name}"))
    write_durably(temporary, lambda descriptor: write_pieces(descriptor, pieces), replace_file(path))


def pack_signs(vectors: Vectors) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return one bit for each number, set where it is above 0."""
    return np.packbits(vectors > 0, axis=1)


def _make_graph(faiss: Any, dimension: int) -> Any:
    return faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)


def _list_pieces(corpus: Corpus, first: int) -> Iterator[Vectors]:
    """Yield the corpus's vectors from this place on, a few at a time."""
    for start, block in corpus.blocks():
        missing = block[max(first - start, 0) :]
        for row in range(0, len(missing), ROWS_AT_ONCE):
            yield missing[row : row + ROWS_AT_ONCE]


def name_part(plan: Plan, corpus: Corpus, path: Path) -> Path:
    """Return where the beginning of an index is kept: another place for each corpus and each kind of index."""
    decisive = f"{corpus.digest} {plan} {LINKS} {BUILD_WIDTH}"
    return path.with_name(f"{path.name}.{blake2b(decisive.encode(), digest_size=8).hexdigest()}.part")


def _read_part(plan: Plan, corpus: Corpus, part: Path) -> Any:
    """Return what an earlier call has built; None if there is nothing that can be used."""
    try:
        index = plan.read(part) if part.is_file() else None
    except RuntimeError:
        return None
    return index if index is not None and index.d == corpus.dimension and index.ntotal <= len(corpus) else None


def _write_whole(plan: Plan, index: object, path: Path, part: Path, notify: Callable[[str], None]) -> None:
    try:
        write_index(plan, index, path)
        part.unlink(missing_ok=True)
        notify(f"The index was built and written to {path}")
    except (OSError, StorageFailure) as error:
        notify(f"⚠️ The index was built and cannot be written to {path}: {error}")
