"""Why questions are left unscored, as the run's state and its log say it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.evaluation.errors import EndpointStop
from tasks.evaluation.reporting.causes import describe_causes, group_errors
from tasks.evaluation.run.outcome import explain_unscored, list_unscored_lines
from tasks.evaluation.run.run import Run
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import wait_until


@pytest.fixture
def run(evaluation: Evaluation, folder: Path) -> Iterator[Run]:
    """Yield a run of forty questions with a score for all but the last four."""
    with evaluation.open({}, run_id="left") as run:
        for position in range(36):
            run.ledger.finish(position, {"score": 1.0})
        yield run


def test_every_cause_is_named_with_its_count(run: Run) -> None:
    """The most frequent first; errors that differ in numbers alone are one, those that differ in the status are not."""
    run.batches.failures |= {36: "the generator answered 500: request 1", 37: "the grader answered 503: request 2"}
    run.batches.failures |= {38: "the grader answered 503: request 3", 39: "the grader answered 503: request 4"}
    assert explain_unscored(run) == "the grader answered 503: request 2 (3), the generator answered 500: request 1 (1)"
    assert list_unscored_lines(run) == [
        "⚠️ Not scored: 3 (questions 38, 39, 40): the grader answered 503: request 2",
        "⚠️ Not scored: 1 (questions 37): the generator answered 500: request 1",
    ]


def test_a_single_cause_needs_no_count(run: Run) -> None:
    """A failure of a question that was scored after all does not count."""
    run.batches.failures |= {0: "the generator answered 500"}
    run.batches.failures |= dict.fromkeys(range(36, 40), "nothing came back")
    assert explain_unscored(run) == "nothing came back"


def test_what_stopped_the_run_is_the_cause_of_all_that_was_not_asked(run: Run) -> None:
    """Also of questions that were waiting for their turn or their reply; what failed before has its own cause."""
    run.stop(EndpointStop("the generator answered 401: key spent; renew the API key"))
    run.batches.failures |= {36: "the run was stopped: key spent", 37: "the run was stopped before the reply came"}
    run.batches.failures |= {38: "the generator answered 500"}
    wait_until(lambda: run.stop_cause is not None)
    assert explain_unscored(run) == (
        "the generator answered 401: key spent; renew the API key (3), the generator answered 500 (1)"
    )


def test_long_errors_leave_room_for_the_others() -> None:
    """One line, cut; a single one is not cut."""
    page = "answered 502: <html>\n" + "x" * 500
    assert describe_causes(group_errors({0: page})) == page
    shown = describe_causes(group_errors({0: page, 1: "answered 500"}))
    assert len(shown) < 200
    assert shown.endswith("x… (1), answered 500 (1)")
