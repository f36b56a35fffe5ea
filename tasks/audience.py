"""Whether anybody can see what Prefect's server learns of the present run, beyond how it ends.

Nobody can on a temporary server, which is gone when the command ends: what is only there to be seen is left out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_has_audience: ContextVar[bool] = ContextVar("has_audience", default=True)


@contextmanager
def no_audience() -> Iterator[None]:
    """Let what runs within the block know that nobody will see it in Prefect."""
    token = _has_audience.set(False)
    try:
        yield
    finally:
        _has_audience.reset(token)


def has_audience() -> bool:
    """Return True unless nobody will see this run in Prefect."""
    return _has_audience.get()
