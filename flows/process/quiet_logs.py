"""Keeps the run's log free of what its own lines report: each task run, and with a traceback each end on purpose."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from prefect.exceptions import CancelledRun, CrashedRun, FailedRun, TerminationSignal

from tasks.evaluation.errors import EvaluationError

TASK_RUN_LOGGER, FLOW_RUN_LOGGER = "prefect.task_runs", "prefect.flow_runs"
# With one of these a flow run ends on purpose.
ENDS = (EvaluationError, FailedRun, CrashedRun, CancelledRun, TerminationSignal, KeyboardInterrupt)


def is_defect(record: logging.LogRecord) -> bool:
    """Return True if the line reports an error that we do not raise on purpose."""
    error = record.exc_info[1] if record.exc_info else None
    return error is not None and not isinstance(error, EvaluationError)


def is_no_end(record: logging.LogRecord) -> bool:
    """Return True unless the line is the traceback of an end on purpose."""
    return not (record.exc_info and isinstance(record.exc_info[1], ENDS))


def leave_out_tracebacks() -> None:
    """Log no traceback of a flow run that has ended on purpose, from now on.

    A worker's process raises the final state's error once the flow has returned, and logs it for the run with its traceback.
    """
    logging.getLogger(FLOW_RUN_LOGGER).addFilter(is_no_end)


@contextmanager
def quiet_task_runs(*, is_quiet: bool) -> Iterator[None]:
    """Log only defects of task runs until the block is left, if `is_quiet`."""
    logger = logging.getLogger(TASK_RUN_LOGGER)
    own = partial(is_defect)  # an object of its own, since runs beside this one may still need theirs when it ends
    if is_quiet:
        logger.addFilter(own)
    try:
        yield
    finally:
        logger.removeFilter(own)
