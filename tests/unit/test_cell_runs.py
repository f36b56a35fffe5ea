"""Which runs a suite on workers takes for those of its cells, what it starts them with, and how its budget ends."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.logging import disable_run_logger

from flows.stopping.budget_form import BudgetForm
from flows.stopping.stop_requests import StopRequest
from flows.stopping.suspension import Suspension
from flows.suites.cell_runs import EARLIER, CellRuns
from flows.suites.suite_run import SuiteRun
from flows.suites.worker_cells import WorkerCells, open_purse
from flows.worker_runs.attempts import decide, make_key
from tasks.audience import no_audience
from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.suites.plan import plan_suite
from tasks.evaluation.suites.suite_purse import SuitePurse
from tests.support.fake_endpoint import make_questions, write_config, write_questions
from tests.support.fake_prefect import FakePrefect

SUITE_ID, OTHER_ID = UUID(int=7), UUID(int=8)
REACHED = "3 of 5 questions not scored: the budget is reached: 990 of 1,000 tokens spent"
SUITE = "config: config.yaml\nmodels: [small, large]\nquestions: [exam.json]\non: workers\n"


@pytest.fixture
def runs(folder: Path, server: FakePrefect) -> Iterator[CellRuns]:
    """Yield the runs of a suite that has been retried once."""
    write_questions(folder, make_questions(2))
    write_config(folder, "http://127.0.0.1:9/v1")
    (folder / "suite.yaml").write_text(SUITE)
    plans = plan_suite(read_suite("suite.yaml"), KeyReader({"FAKE_KEY": "sk-x"}, str), is_dry=True)
    with server.client() as client:
        yield CellRuns(client, FlowRun(id=SUITE_ID, flow_id=SUITE_ID, name="suite", run_count=2), plans)


def add(server: FakePrefect, kind: str, parent: UUID, round_number: int, file: str = "suite.yaml") -> UUID:
    """Keep a run of the first cell on the server."""
    key, parameters = make_key(parent, "small,exam", round_number, 0), {"config_file": f"{file}#small,exam"}
    return server.add(key, kind, parameters=parameters, tags=["suite:suite"])


def test_a_run_that_goes_on_is_found_whichever_call_has_started_it(server: FakePrefect, runs: CellRuns) -> None:
    """It counts as one of an earlier round: when it fails, the cell is started as if it never had been."""
    ids = {add(server, "RUNNING", SUITE_ID, 1), add(server, "PAUSED", OTHER_ID, 2)}
    assert {(run.run_id, run.round) for run in runs.read()} == {(each, EARLIER) for each in ids}
    assert decide(["small,exam"], runs.read(), runs.round).start == []
    for each in ids:
        server.runs[str(each)]["state"]["type"] = "FAILED"
    assert decide(["small,exam"], runs.read(), runs.round).start == [("small,exam", 0)]


def test_an_end_is_known_once_the_run_was_seen_going_on(server: FakePrefect, runs: CellRuns) -> None:
    """Though the server no longer lists it among those."""
    run_id = add(server, "RUNNING", OTHER_ID, 1)
    runs.read()
    server.runs[str(run_id)]["state"]["type"] = "COMPLETED"
    assert [run.kind for run in runs.read()] == ["done"]


def test_what_had_ended_before_is_no_run_of_this_attempt(server: FakePrefect, runs: CellRuns) -> None:
    """The plan knows what it has left; of this attempt's own runs every end counts."""
    add(server, "COMPLETED", SUITE_ID, 1)
    add(server, "FAILED", OTHER_ID, 2)
    own = add(server, "FAILED", SUITE_ID, 2)
    assert [(run.run_id, run.round) for run in runs.read()] == [(own, 2)]


def test_a_suite_of_the_same_name_elsewhere_is_another(server: FakePrefect, runs: CellRuns) -> None:
    """Its cells have another address; nor is a run of no cell taken for one."""
    add(server, "RUNNING", OTHER_ID, 1, file="other/suite.yaml")
    server.add(None, "RUNNING", tags=["suite:suite"])
    assert runs.read() == []


@contextmanager
def open_suite(
    server: FakePrefect, answers: list[dict[str, Any]], **caps: float
) -> Iterator[tuple[SuiteRun, CellRuns, WorkerCells]]:
    """Yield a suite of three cells with a budget, the runs of its cells, and what watches them."""
    Path("suite.yaml").write_text(f"{SUITE.replace('large', 'large, huge')}budget: {json.dumps(caps)}\n")
    plans = plan_suite(read_suite("suite.yaml"), KeyReader({"FAKE_KEY": "sk-x"}, str))
    with disable_run_logger(), no_audience(), server.client() as client:
        suite = SuiteRun(plans[0].cell.suite, plans, BudgetForm(answers))
        parent = FlowRun(id=SUITE_ID, flow_id=SUITE_ID, name="suite", run_count=1)
        purse = open_purse(suite)
        runs = CellRuns(client, parent, plans, purse, suite.times_resumed)
        yield suite, runs, WorkerCells(suite, runs, purse)


def start(server: FakePrefect, cell: str, kind: str, message: str = "") -> UUID:
    """Keep a run of this cell on the server, as the suite has started it; return its id."""
    key, parameters = make_key(SUITE_ID, cell, 1, 0), {"config_file": f"suite.yaml#{cell}"}
    return server.add(key, kind, message, parameters=parameters)


def never_pause() -> Suspension:
    """Return the pause of a suite that nobody pauses."""
    request = SimpleNamespace(get_state=lambda: None)
    return Suspension(cast("Any", SimpleNamespace(flow_run_suspension_request=request)))


@pytest.mark.usefixtures("runs")
def test_a_cell_is_started_with_the_caps_and_the_purse_of_its_suite(server: FakePrefect) -> None:
    """Those that were raised in the form; Prefect does not count a resume as an attempt, so the runs get keys of their own."""
    answers: list[dict[str, Any]] = [{"max_tokens_total": 2_000}, {"max_tokens_total": 3_000, "max_cost": 2.5}]
    with open_suite(server, answers, tokens=1_000, cost=2, seconds=60) as (suite, runs, _):
        assert runs.specify("small,exam").parameters == {
            "config_file": "suite.yaml#small,exam",
            "advanced": {
                "max_tokens_total": 3_000,
                "max_cost": 2.5,
                "suite_purse": SuitePurse(BudgetSettings(), suite.plans).name,
            },
        }
        assert runs.round == 3


@pytest.mark.usefixtures("runs")
def test_a_cell_that_reaches_the_budget_is_not_started_once_more(server: FakePrefect) -> None:
    """Nor is one that has failed meanwhile, and no other begins; the suite says what was spent, and which cap to raise."""
    with open_suite(server, [], tokens=1_000) as (suite, _, cells):
        start(server, "small,exam", "FAILED", f'{REACHED}; raise "Most tokens"')
        start(server, "large,exam", "FAILED", "the generator answered 401")
        cells.go_on(StopRequest(), never_pause())
        assert [plan.cell.name for plan in cells.left] == ["huge,exam"]
        state = suite.conclude(StopRequest(), never_pause(), cells.left)
    assert len(server.runs) == 2
    assert state.is_failed()
    assert state.message == (
        f"3 of 3 cells not finished: small,exam ({REACHED}; raise --max-tokens-total); "
        "large,exam (the generator answered 401); huge,exam (not begun)"
    )


@pytest.mark.usefixtures("runs")
def test_cells_are_cancelled_when_the_time_of_the_suite_is_over(server: FakePrefect) -> None:
    """Those that wait for a worker too, and no other begins."""
    with open_suite(server, [], seconds=1e-9) as (suite, _, cells):
        run_id = start(server, "small,exam", "SCHEDULED")
        cells.go_on(StopRequest(), never_pause())
        assert server.state(run_id)[0] == "CANCELLING"
        [end] = suite.ends
        assert end.message == "cancelled, since the 0 seconds that --max-seconds gives each run are over"
        assert [plan.cell.name for plan in cells.left] == ["large,exam", "huge,exam"]


@pytest.mark.usefixtures("runs")
def test_a_suite_that_is_to_finish_with_what_there_is_starts_nothing(server: FakePrefect) -> None:
    """As its form was answered."""
    with open_suite(server, [{"finish": True}], tokens=1_000) as (suite, _, cells):
        cells.go_on(StopRequest(), never_pause())
        state = suite.conclude(StopRequest(), never_pause(), cells.left)
    assert not server.runs
    assert state.is_completed()
    assert state.message == "0 of 3 cells finished: the budget was reached before the others were"
