"""One vector for each text, from those of its tokens, as the original scorer makes it."""

import numpy as np

from tasks.evaluation.retrieval.arrays import Mask, TokenStates, Vectors, normalize


def pool(states: TokenStates, mask: Mask, pooling: str) -> Vectors:
    """Return the texts' vectors, of unit length; a text's vector does not depend on the others in its batch.

    Args:
        states: the last hidden states, padded at either side.
        mask: which tokens are the texts' own.
        pooling: `mean`, of all tokens but the first and the last, or `last_token`.
    """
    chosen = _last_alone(mask) if pooling == "last_token" else _without_ends(mask)
    weights = chosen[:, :, np.newaxis].astype(np.float32)
    sums = (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)
    return normalize(np.asarray(sums, dtype=np.float32))


def _last_alone(mask: Mask) -> Mask:
    return np.asarray(_ranks(mask) == mask.sum(axis=1, keepdims=True))


def _without_ends(mask: Mask) -> Mask:
    """Return the mask without each text's first and last token; with them where nothing else would be left."""
    ranks, counts = _ranks(mask), mask.sum(axis=1, keepdims=True)
    return np.where(counts > 2, mask & (ranks > 1) & (ranks < counts), mask)


def _ranks(mask: Mask) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return each own token's number within its text, from 1; 0 for padding."""
    return np.where(mask, mask.cumsum(axis=1), 0)
