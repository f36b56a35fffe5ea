"""Work that goes on beside a run, in a thread of its own that never keeps the process alive."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context


@contextmanager
def beside(work: Callable[[threading.Event], None], *, name: str, patience_seconds: float) -> Iterator[None]:
    """Do the work in a thread with the present flow run's context, until the block is left.

    Args:
        work: is given the event that is set when the block is left, and returns soon after.
        name: the thread's.
        patience_seconds: how long to wait for the work at the end of the block; what goes on then is left behind.
    """
    has_ended = threading.Event()
    thread = threading.Thread(target=copy_context().run, args=(work, has_ended), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join(patience_seconds)
