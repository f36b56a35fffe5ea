"""A flow that Prefect ends because its server has given away the run's place."""

import logging
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager


class EndsFlow(logging.Handler):
    """Raises what Prefect raises, where the flow logs a line that begins with these words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def emit(self, record: logging.LogRecord) -> None:
        """Raise it if this is the line."""
        if record.getMessage().startswith(self._words):
            raise CancelledError


@contextmanager
def ending_flow(words: str) -> Iterator[None]:
    """End a flow that is called meanwhile where it logs a line that begins with these words."""
    logger, handler = logging.getLogger("prefect.flow_runs"), EndsFlow(words)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
