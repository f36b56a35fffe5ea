"""The deployment `suite`: its cells are runs below it; Retry runs those that are not finished, also after a kill."""

import os
import signal
from typing import Any

from tests.browser.test_retry import retry
from tests.support.fake_endpoint import make_questions, write_questions
from tests.support.served import Served, wait_until

COUNT, WORKERS = 30, 4


def write_suite(served: Served, name: str) -> str:
    """Write a suite of two models; return its path."""
    config = served.write(name, parallel_workers=WORKERS)
    questions = [{**each, "question": f"{each['question']} ({name})"} for each in make_questions(COUNT)]
    write_questions(served.folder, questions, f"{name}.json")
    path = f"{name}/suite.yaml"
    (served.folder / path).write_text(f"config: {config}\nmodels: [one, two]\nquestions: [{name}.json]\nparallel_cells: 2\n")
    return path


def list_cells(served: Served, suite_id: str) -> list[dict[str, Any]]:
    below = {"flow_runs": {"parent_flow_run_id": {"any_": [suite_id]}}}
    runs: list[dict[str, Any]] = served.call("POST", "flow_runs/filter", below)
    return sorted(runs, key=lambda run: str(run["name"]))


def test_a_killed_suite_is_continued_by_retry(served: Served) -> None:
    """Nothing is asked twice but what was in flight; no cell is left Running; the leaderboard is an artifact."""
    release, held = served.hold_back("suited", after=24)
    suite_id = served.start("suite", suite_file=write_suite(served, "suited"))
    wait_until(lambda: len(held) > WORKERS)  # both cells ask
    os.kill(int(served.run(suite_id)["infrastructure_pid"]), signal.SIGKILL)
    served.wait_for(suite_id, "Crashed")
    release.set()
    retry(served, suite_id)
    assert served.wait_for(suite_id, "Completed", "Failed") == "All 2 cells are finished"
    assert 2 * COUNT <= served.asked("suited") <= 2 * COUNT + 2 * WORKERS
    states = {(run["name"].partition(" ")[0], run["state"]["name"]) for run in list_cells(served, suite_id)}
    assert states == {(f"{model},suited", end) for model in ("one", "two") for end in ("Crashed", "Completed")}
    assert {artifact["key"] for artifact in served.artifacts(suite_id)} == {"suite-leaderboard", "suite-leaderboard-page"}
