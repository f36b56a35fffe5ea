"""Keeps the run's log free of a line for each task run: the run's own lines report what happened to the questions."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.evaluation.errors import EvaluationError

TASK_RUN_LOGGER = "prefect.task_runs"


def is_defect(record: logging.LogRecord) -> bool:
    """Return True if the line reports an error that we do not raise on purpose."""
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not isinstance(error, EvaluationError)


@contextmanager
def quiet_task_runs(*, is_quiet: bool) -> Iterator[None]:
    """Log only defects of task runs until the block is left, if `is_quiet`."""
    logger = logging.getLogger(TASK_RUN_LOGGER)
    if is_quiet:
        logger.addFilter(is_defect)
    try:
        yield
    finally:
        logger.removeFilter(is_defect)
