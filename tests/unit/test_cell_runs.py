"""Which runs a suite on workers takes for those of its cells, also of a call before."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun

from flows.suites.cell_runs import EARLIER, CellRuns
from flows.worker_runs.attempts import decide, make_key
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.suites.plan import plan_suite
from tests.support.fake_endpoint import make_questions, write_config, write_questions
from tests.support.fake_prefect import FakePrefect

SUITE_ID, OTHER_ID = UUID(int=7), UUID(int=8)
SUITE = "config: config.yaml\nmodels: [small, large]\nquestions: [exam.json]\non: workers\n"


@pytest.fixture
def server() -> Iterator[FakePrefect]:
    with FakePrefect() as server:
        yield server


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
