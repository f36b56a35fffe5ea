"""The look-up of ids that matches earlier records with a run's questions."""

import numpy as np


class IdIndex:
    """Finds the positions that have an id. Memory: 32 bytes per position; a dictionary of texts takes 180.

    Args:
        ids: the ids of all positions, one after the other, `size` bytes each.
        positions: those that can be found.
        size: the number of bytes in an id.
    """

    def __init__(self, ids: bytes | bytearray, positions: "np.ndarray[tuple[int], np.dtype[np.int64]]", size: int) -> None:
        # Equal ids stay in the order of their positions.
        found = np.frombuffer(ids, dtype=f"S{size}")[positions]
        order = np.argsort(found, kind="stable")
        self._ids, self._positions = found[order], positions[order]

    def find(self, hexadecimal: str) -> list[int]:
        """Return the positions with this id, in order; an empty list if the text is not an id."""
        try:
            key = bytes.fromhex(hexadecimal)
        except ValueError:
            return []
        # numpy treats an id as equal to the same id without its trailing zero bytes.
        if len(key) != self._ids.dtype.itemsize:
            return []
        start, stop = (int(np.searchsorted(self._ids, np.bytes_(key), side)) for side in ("left", "right"))
        return [int(position) for position in self._positions[start:stop]]
