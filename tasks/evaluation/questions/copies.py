"""Equal keys in a column, counted."""

import numpy as np

Keys = np.ndarray[tuple[int], np.dtype[np.uint64]] | np.ndarray[tuple[int], np.dtype[np.int64]]
Counts = np.ndarray[tuple[int], np.dtype[np.int64]]


def count_copies(keys: Keys, order: Counts) -> Counts:
    """Return for each key how many equal keys come before it.

    Args:
        keys: the column.
        order: the positions that sort it; of equal keys, the one that comes before the other.
    """
    ordered = keys[order]
    begins = np.searchsorted(ordered, ordered)
    copies = np.empty(len(ordered), dtype=np.int64)
    copies[order] = np.arange(len(ordered)) - begins
    return copies
