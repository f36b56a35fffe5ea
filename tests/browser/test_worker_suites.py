"""`on: workers` in a suite file: each cell is a run on a worker, which goes on when the suite is killed, and is found again."""

import json
import os
import signal
from typing import Any

from tests.browser.test_retry import retry
from tests.support.fake_endpoint import Reply, error, make_questions, prompt_of, right_count, write_questions
from tests.support.served import Served, wait_until

COUNT = 12
NAME, CELLS = "worked", {"one,worked", "two,worked"}


def write_suite(served: Served) -> str:
    """Write a suite of three models; return its path."""
    config = served.write(NAME, parallel_workers=1)
    questions = [{**each, "question": f"{each['question']} ({NAME})"} for each in make_questions(COUNT)]
    write_questions(served.folder, questions, f"{NAME}.json")
    content = f"config: {config}\nmodels: [refused, one, two]\nquestions: [{NAME}.json]\nparallel_cells: 3\non: workers\n"
    (served.folder / NAME / "suite.yaml").write_text(content)
    return f"{NAME}/suite.yaml"


def refuse(served: Served) -> None:
    """Make the endpoint refuse the key of one of the models."""
    before = served.endpoint.rule

    def rule(body: dict[str, Any]) -> Reply:
        is_refused = f"({NAME})" in prompt_of(body) and body["model"] == "refused"
        return error(401, "no such key") if is_refused else before(body)

    served.endpoint.rule = rule


def read_accuracies(served: Served) -> dict[str, float | None]:
    """Return the accuracies on the leaderboard, by the model."""
    [board] = json.loads((served.folder / NAME / "out/suite_leaderboard.json").read_text())["boards"]
    return {row["model"]: row["figures"] and row["figures"]["accuracy"] for row in board["rows"]}


def test_a_killed_suite_finds_its_cells_on_workers_again(served: Served) -> None:
    """They go on without it; a retry starts none of them again, but the one that failed; every question is asked once."""
    suite_file = write_suite(served)
    release, held = served.hold_back(NAME, after=0)
    refuse(served)
    suite_id = served.start("suite", suite_file=suite_file)
    wait_until(lambda: len(held) == len(CELLS))  # both cells ask
    os.kill(int(served.run(suite_id)["infrastructure_pid"]), signal.SIGKILL)
    served.wait_for(suite_id, "Crashed")
    retry(served, suite_id)
    wait_until(lambda: count_found(served, suite_id) == len(CELLS))
    release.set()
    message = served.wait_for(suite_id, "Completed", "Failed")
    assert message.startswith("1 of 3 cells not finished: refused,worked (the generator answered 401")
    asked = [(body["model"], prompt_of(body)) for body in served.endpoint.bodies if f"({NAME})" in prompt_of(body)]
    answered = [each for each in asked if each[0] != "refused"]
    assert len(answered) == len({*answered}) == 2 * COUNT
    runs = list_runs(served, suite_id)
    assert [run for run in runs if run[0] in CELLS] == [("one,worked", "Completed"), ("two,worked", "Completed")]
    assert {state for name, state in runs if name not in CELLS} == {"Failed"}
    right = right_count(COUNT) / COUNT
    assert read_accuracies(served) == {"one": right, "two": right, "refused": None}


def list_runs(served: Served, suite_id: str) -> list[tuple[str, str]]:
    """Return the cell and the state of each run below the suite, in the cells' order."""
    below = {"flow_runs": {"parent_flow_run_id": {"any_": [suite_id]}}}
    runs: list[dict[str, Any]] = served.call("POST", "flow_runs/filter", below)
    return sorted((str(run["name"]).partition(", run ")[0], str(run["state"]["name"])) for run in runs)


def count_found(served: Served, suite_id: str) -> int:
    """Return how many cells the suite has found going on."""
    return sum("its run from before goes on" in str(log["message"]) for log in served.logs(suite_id))
