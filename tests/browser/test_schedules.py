"""Recurring evaluations: each asks everything again under its own date, they wait for one another, and no wait is endless."""

import json
import re

import pytest

from tests.browser.conftest import Abandoned
from tests.browser.test_retry import WORKERS, retry
from tests.support.served import COUNT, Served, wait_until

LIMIT = 5
WARNING = "All 5 answers were reused: nothing was asked. A recurring evaluation needs auto_resume false"


@pytest.mark.timeout(600)
def test_scheduled_runs_wait_ask_anew_and_are_not_blocked_for_ever(served: Served, abandoned: Abandoned) -> None:
    """Worker and run were killed: when that is noticed, the next one begins; each has its date in its name and results.

    The schedule's own overrides do not keep them from asking everything again, nor does a switch that erases these overrides.
    """
    nightly = served.deployment("nightly")
    path = f"deployments/{nightly['id']}/schedules/{nightly['schedules'][0]['id']}"
    overrides = {"limit": LIMIT, "questions_file": f"{served.write_questions('scheduled')}"}
    parameters = {"config_file": abandoned.config, "overrides": overrides}
    release, held = served.hold_back("scheduled", after=0)
    message = served.wait_for(abandoned.run_id, "Crashed")
    assert message.startswith("Nothing was heard from the run for 90 seconds")
    served.call("PATCH", path, {"active": True, "schedule": {"interval": 20}, "parameters": parameters})
    wait_until(lambda: bool(held) and "AwaitingConcurrencySlot" in served.scheduled_states(nightly["id"]))
    release.set()
    wait_until(lambda: served.scheduled_states(nightly["id"]).count("Completed") >= 2)
    served.call("PATCH", path, {"active": False})
    names = [run["name"] for run in served.scheduled_runs(nightly["id"]) if run["state"]["name"] == "Completed"]
    assert all(re.fullmatch(r"scheduled fake \d{4}-\d\d-\d\d \d\d:\d\d", name) for name in names)
    assert served.asked("scheduled") >= 2 * LIMIT
    results = [json.loads(path.read_text())["metadata"] for path in (served.folder / "abandoned/out").glob("*.json")]
    assert {each["mcqa_flow"]["run_name"] for each in results} <= {*names, served.run(abandoned.run_id)["name"]}
    clear(served, nightly["id"])
    served.call("PATCH", path, {"active": True})
    wait_until(lambda: bool(served.scheduled_runs(nightly["id"])))
    assert all(run["parameters"] == nightly["parameters"] for run in served.scheduled_runs(nightly["id"]))
    served.call("PATCH", path, {"active": False})
    abandoned.release.set()
    retry(served, abandoned.run_id)
    served.wait_for(abandoned.run_id, "Completed")
    assert COUNT <= served.asked("abandoned") <= COUNT + WORKERS


def test_a_schedule_that_reuses_everything_says_so(served: Served, abandoned: Abandoned) -> None:
    """It has asked nothing and looks well: the message and the report warn of it."""
    nightly = served.deployment("nightly")
    path = f"deployments/{nightly['id']}/schedules/{nightly['schedules'][0]['id']}"
    overrides = {"limit": LIMIT, "questions_file": served.write_questions("idle")}
    parameters = {"config_file": abandoned.config, "overrides": overrides}
    served.wait_for(served.start(config_file=abandoned.config, overrides=overrides), "Completed")
    served.call(
        "PATCH", path, {"active": True, "schedule": {"interval": 10}, "parameters": {**parameters, "auto_resume": True}}
    )
    wait_until(lambda: "Completed" in served.scheduled_states(nightly["id"]))
    served.call("PATCH", path, {"active": False})
    [message, *_] = [
        run["state"]["message"] for run in served.scheduled_runs(nightly["id"]) if run["state"]["name"] == "Completed"
    ]
    assert message.startswith(f"{WARNING}. Accuracy ")
    [report] = served.call("POST", "artifacts/latest/filter", {"artifacts": {"key": {"any_": ["idle-fake-report"]}}})
    assert WARNING in " ".join(report["data"].replace("<br>", " ").replace("\\", "").split())
    assert served.asked("idle") == LIMIT
    clear(served, nightly["id"])


def clear(served: Served, deployment_id: str) -> None:
    """Remove what the schedule has created, so that nothing of it runs on."""
    for run in served.scheduled_runs(deployment_id):
        served.call("DELETE", f"flow_runs/{run['id']}")
