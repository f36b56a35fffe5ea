"""Several runs in one process, as the cells of a suite are: none takes another's files, signals or end for its own."""

import logging
import signal
from typing import Any

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.ending import end_watch
from flows.ending.end_watch import report_outcome
from flows.process.quiet_logs import TASK_RUN_LOGGER, quiet_task_runs
from flows.process.shared_process import Halt, SharedProcess, sharing
from flows.stopping.stop_requests import stop_on_signals
from tasks.evaluation.reporting.progress import Progress
from tasks.evaluation.storage.temporary_files import name_temporary_file


def test_no_temporary_name_is_given_twice() -> None:
    """Two cells that save at once write two files."""
    assert name_temporary_file("checkpoint_exam_fake") != name_temporary_file("checkpoint_exam_fake")


def test_a_run_is_asked_to_stop_by_whoever_has_the_signals() -> None:
    """It installs no handlers, and ends as crashed: the signal ends the process when all have saved."""
    halt, before = Halt(), signal.getsignal(signal.SIGTERM)
    with sharing(SharedProcess("a,exam", "suite", halt, None)), stop_on_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) is before
        assert not stop.is_received
        halt.reason = "a signal was received"
        assert stop.is_received
        assert stop.end("3 of 5 scored").is_crashed()


def test_a_run_that_ends_leaves_the_others_their_quiet_logs() -> None:
    """Each takes away its own filter."""
    logger = logging.getLogger(TASK_RUN_LOGGER)
    first, second = quiet_task_runs(is_quiet=True), quiet_task_runs(is_quiet=True)
    before = len(logger.filters)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert len(logger.filters) == before + 1
    second.__exit__(None, None, None)
    assert len(logger.filters) == before


def test_the_end_of_a_flow_that_another_calls_does_not_end_the_process() -> None:
    """Only that of the outer one is reported to the command that waits."""
    heard: list[Any] = []

    @report_outcome
    def cell() -> State[None]:
        return Failed(message="of a cell")

    @report_outcome
    def suite() -> State[None]:
        cell()
        return Completed(message="of the suite")

    token = end_watch._listener.set(heard.append)
    suite()
    end_watch._listener.reset(token)
    assert [outcome.message for outcome in heard] == ["of the suite"]


def test_lines_begin_with_the_name_of_their_run(capsys: pytest.CaptureFixture[str]) -> None:
    """In the terminal alone; the bar of each is a line now and then."""
    progress = Progress(lambda _, line: logged.append(line), is_shown=True, name="a,exam")
    logged: list[str] = []
    progress.notify("Begins")
    progress.begin(1, 4)
    progress.show(2)
    progress.end()
    first, second = capsys.readouterr().out.splitlines()
    assert (first, logged) == ("a,exam: Begins", ["Begins"])
    assert second.startswith("a,exam: Processing questions: 50.0% 2/4 [")
