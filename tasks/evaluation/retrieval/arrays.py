"""Types of the arrays that retrieval passes around."""

from typing import Any

import numpy as np

Vectors = np.ndarray[tuple[int, int], np.dtype[np.float32]]
"""One vector a row."""
Indices = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""Places in the corpus, from 0, the best first; -1 where there are not enough chunks."""
Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
"""Which tokens of each text are its own."""
TokenStates = np.ndarray[tuple[int, int, int], np.dtype[np.float32]]
"""For each text, a vector for each of its tokens."""
AnyArray = np.ndarray[Any, Any]

# Vectors are taken in blocks of about this size, so that memory does not grow with the corpus.
BLOCK_BYTES = 1 << 26


def normalize(vectors: Vectors) -> Vectors:
    """Return the vectors at unit length; one of length 0 stays as it is."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def choose_block_rows(dimension: int) -> int:
    """Return the number of vectors in a block."""
    return max(BLOCK_BYTES // (4 * max(dimension, 1)), 1)
