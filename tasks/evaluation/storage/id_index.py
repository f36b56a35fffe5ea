"""Where an id stands among a run's: the look-up that matches earlier records with its questions."""

import numpy as np


class IdIndex:
    """Finds the positions that have an id. Memory: 32 bytes a position, where a dictionary of texts takes 180.

    Args:
        ids: the id of each position, of `size` bytes, one behind the other.
        positions: those that may be found.
        size: bytes an id.
    """

    def __init__(self, ids: bytes | bytearray, positions: "np.ndarray[tuple[int], np.dtype[np.int64]]", size: int) -> None:
        # Equal ids stay in the order of their positions.
        found = np.frombuffer(ids, dtype=f"S{size}")[positions]
        order = np.argsort(found, kind="stable")
        self._ids, self._positions = found[order], positions[order]

    def find(self, hexadecimal: str) -> list[int]:
        """Return the positions with this id, in order; an empty list for a text that is no id."""
        try:
            key = bytes.fromhex(hexadecimal)
        except ValueError:
            return []
        # numpy takes an id and the same without its last zeros for equal.
        if len(key) != self._ids.dtype.itemsize:
            return []
        start, stop = (int(np.searchsorted(self._ids, np.bytes_(key), side)) for side in ("left", "right"))
        return [int(position) for position in self._positions[start:stop]]
