"""A suite: every cell is an ordinary evaluation, one that fails stops no other, and the same call continues."""

import json
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.client.schemas.objects import State

from flows.score_questions import score_questions
from tasks.evaluation.config.overrides import Caps
from tasks.evaluation.errors import GateFailed
from tests.support.displacing import ending_flow
from tests.support.fake_endpoint import FakeEndpoint, answer_by_rule
from tests.support.suites import CELLS, COUNT, count_asked, refuse, spoil, write_suite

pytestmark = pytest.mark.usefixtures("exam")


def run(suite: str, **caps: float) -> State:
    from flows.run_suite import run_suite

    return run_suite(suite, Caps.model_validate(caps), return_state=True)


def test_a_cell_that_fails_stops_no_other_and_the_same_call_continues(folder: Path, endpoint: FakeEndpoint) -> None:
    """The state names it, the leaderboard shows what it has, nothing is asked twice, and finished cells are not run again."""
    suite = write_suite(folder, endpoint)
    refuse(endpoint, "big,bio,warm", after=105)
    state = run(suite)
    assert state.is_failed()
    assert state.message
    assert state.message.startswith(
        "1 of 8 cells not finished: big,bio,warm (7 of 12 questions not scored: the generator answered 401"
    )
    [unfinished] = [row["so_far"] for row in read_rows(folder) if not row["figures"]]
    # Of questions 101 to 105, the endpoint answers 102 and 105 wrongly.
    assert (unfinished["scored"], unfinished["selected"], unfinished["accuracy"]) == (5, 12, 0.6)
    asked = count_asked(endpoint)
    assert {cell for cell, _ in asked} == set(CELLS)
    assert name_runs(state) == sorted(CELLS)
    endpoint.forget()
    endpoint.rule = answer_by_rule
    assert run(suite).message == "All 8 cells are finished"
    assert {cell for cell, _ in count_asked(endpoint)} == {"big,bio,warm"}
    assert set(count_asked(endpoint).values()) == {1}
    assert len(endpoint.bodies) == COUNT - 5
    assert all(row["figures"] for row in read_rows(folder))


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the leaderboard's rows."""
    boards = json.loads((folder / "out/suite_leaderboard.json").read_text())["boards"]
    return [row for board in boards for row in board["rows"]]


def name_runs(state: State) -> list[str]:
    """Return the names of the sub-flows, without their times; each is tagged with the suite's."""
    with get_client(sync_client=True) as client:
        parent = FlowRunFilterParentFlowRunId(any_=[state.state_details.flow_run_id])
        runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(parent_flow_run_id=parent))
    assert all("suite:suite" in run.tags for run in runs)
    return sorted(run.name.partition(" ")[0] for run in runs)


def test_a_cell_is_continued_by_its_own_name_as_a_configuration(folder: Path, endpoint: FakeEndpoint) -> None:
    """What it has asked alone, the suite does not ask."""
    suite = write_suite(folder, endpoint, count=2)
    (folder / suite).write_text((folder / suite).read_text().replace("exclude: []", "exclude: [{model: small}]"))
    assert score_questions("suite.yaml#big,bio,warm", return_state=True).is_completed()
    assert run(suite).is_completed()
    assert set(count_asked(endpoint).values()) == {1}
    assert len(endpoint.bodies) == 4 * 2


def test_a_suite_that_prefect_ends_before_its_first_cell_says_how_it_goes_on(folder: Path, endpoint: FakeEndpoint) -> None:
    """As for a run that has lost its place among those that its deployment lets run at once."""
    suite = write_suite(folder, endpoint)
    with ending_flow("🧮"):
        state = run(suite)
    assert state.is_crashed()
    assert state.message
    assert state.message.endswith("Retry asks what is missing")
    assert not endpoint.asked()


def test_all_cells_spend_from_one_budget(folder: Path, endpoint: FakeEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    """No cap is passed, cells that could ask nothing are not begun, and a higher cap continues; what was paid before counts.

    Nobody is advised to run a cell by itself, which would spend more than the cap.
    """
    suite = write_suite(folder, endpoint)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("{model: fake", "{model: fake, max_tokens: 20"))
    state = run(suite, max_tokens_total=900)
    assert state.is_failed()
    assert "the budget is reached: " in str(state.message)
    assert "not begun" in str(state.message)
    assert "questions not scored: the budget is reached" in caplog.text
    assert "This cell alone" not in caplog.text
    asked = len(endpoint.bodies)
    assert 0 < asked * 12 <= 900
    assert len(name_runs(state)) < len(CELLS)
    assert run(suite, max_tokens_total=900).is_failed()
    assert len(endpoint.bodies) <= 900 / 12
    assert run(suite, max_tokens_total=9_000).message == "All 8 cells are finished"
    assert set(count_asked(endpoint).values()) == {1}
    assert len(endpoint.bodies) == len(CELLS) * COUNT


def test_a_cell_that_is_worse_than_the_baseline_fails_the_suite(folder: Path, endpoint: FakeEndpoint) -> None:
    """Though all cells are finished; a baseline that is not there is found before anything is asked."""
    suite = write_suite(folder, endpoint, count=20)
    spoil(endpoint, "big,bio,warm")
    text = (folder / suite).read_text()
    (folder / suite).write_text(f"{text}\nfail_if_worse: smal\n")
    state = run(suite)
    assert "fail_if_worse: 'smal' is no results file, no model and no model/condition here" in str(state.message)
    assert not endpoint.bodies
    (folder / suite).write_text(f"{text}\nfail_if_worse: small\n")
    state = run(suite)
    assert state.is_failed()
    assert "big/warm" in str(state.message)
    assert isinstance(state.result(raise_on_failure=False), GateFailed)
    assert set(count_asked(endpoint).values()) == {1}
