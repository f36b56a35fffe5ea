"""What a run's log holds, by level."""

import io
import logging
from collections.abc import Iterator

import pytest
from prefect.exceptions import CancelledRun, FailedRun
from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings

from flows.process.quiet_logs import FLOW_RUN_LOGGER, is_no_end, leave_out_tracebacks
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.reporting.progress import Progress


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Yield what is logged of flow runs while tracebacks of ends are left out."""
    written, logger = io.StringIO(), logging.getLogger(FLOW_RUN_LOGGER)
    handler = logging.StreamHandler(written)
    logger.addHandler(handler)
    leave_out_tracebacks()
    leave_out_tracebacks()
    with temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}):  # where another test has set up its handler
        yield written
    logger.removeFilter(is_no_end)
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "end", [UserMistake("cannot read x.yaml"), FailedRun("3 of 9 not scored"), CancelledRun("3 of 9"), KeyboardInterrupt()]
)
def test_an_end_on_purpose_has_no_traceback(log: io.StringIO, end: BaseException) -> None:
    """Prefect logs it after the state, which says the same in a line."""
    logging.getLogger(FLOW_RUN_LOGGER).error("Engine execution exited with unexpected exception", exc_info=end)
    assert log.getvalue() == ""


def test_a_defect_keeps_its_traceback(log: io.StringIO) -> None:
    """It is what its finder needs; lines without a traceback stay too."""
    logging.getLogger(FLOW_RUN_LOGGER).error("unexpected", exc_info=ZeroDivisionError("division by zero"))
    logging.getLogger(FLOW_RUN_LOGGER).error("cannot read x.yaml")
    assert "ZeroDivisionError: division by zero" in log.getvalue()
    assert log.getvalue().endswith("cannot read x.yaml\n")


def test_a_line_is_as_serious_as_its_sign(capsys: pytest.CaptureFixture[str]) -> None:
    """The terminal shows the sign, the log has the level."""
    logged: list[tuple[int, str]] = []
    progress = Progress(lambda level, line: logged.append((level, line)), is_shown=False)
    progress.notify("⚠️ Nothing gets through")
    progress.notify("📊 Accuracy: 0.5")
    assert logged == [(logging.WARNING, "⚠️ Nothing gets through"), (logging.INFO, "📊 Accuracy: 0.5")]
    assert capsys.readouterr().out == "⚠️ Nothing gets through\n📊 Accuracy: 0.5\n"
