"""Nine nights of a recurring evaluation under a real server: one is bad, the last is cut short, a webhook gets the alarm."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client

from flows.serving.drop_notification import BLOCK, DROP_AUTOMATION, ensure_drop_automation
from tests.support.exam import COUNT, run
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    completion,
    error,
    make_questions,
    wait_until,
    write_config,
    write_questions,
)

ROOT = Path(__file__).parents[2]
BAD_NIGHT, CUT_NIGHT = 6, 9
DROP = "The accuracy has dropped: 41.7 points below the mean of the first 5 runs (29.5 to 52.5), p < 0.001"
UNDER = "Accuracy 0.25 is under the 0.50 that fail_under demands"


@dataclass(frozen=True)
class Nights:
    """What the nights have left."""

    states: list[Any]
    """The states that the runs ended in."""
    events: list[dict[str, Any]]
    """Our events on the server, the oldest first."""
    told: list[dict[str, Any]]
    """What the webhook received."""
    history: dict[str, Any]
    """The newest artifact of the history."""
    automation: Any
    """The automation as it was made."""
    warnings: list[str]
    """What the log of the bad night holds as warnings."""
    started: list[dict[str, Any]]
    """The runs that the documented automation has started."""

    def list_events(self) -> list[str]:
        return [event["event"].removeprefix("mcqa.") for event in self.events]

    def find(self, name: str) -> dict[str, Any]:
        """Return the only event of this name."""
        [event] = [event for event in self.events if event["event"] == f"mcqa.{name}"]
        return event


@pytest.fixture(scope="module")
def nights(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """Run them, with the automation switched on and its block filled in."""
    folder = tmp_path_factory.mktemp("nights")
    with FakeEndpoint() as endpoint, FakeEndpoint() as webhook, pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setenv("FAKE_KEY", "sk-very-secret")
        webhook.rule = lambda _: Reply({})
        write_questions(folder, make_questions(COUNT), "nightly exam.json")
        config = Path(write_config(folder, endpoint.url, fail_under=0.5, auto_resume=False))
        config.write_text(config.read_text().replace("exam.json", "nightly exam.json"))
        automation, deployment_id = switch_on(webhook.url), make_reference_automation()
        states = [run_night(endpoint, night) for night in range(1, 10)]
        events = wait_for_events(prefect_server, 11)
        wait_until(lambda: bool(webhook.bodies))
        wanted = {"artifacts": {"key": {"any_": ["nightly-exam-history"]}}}
        [history] = httpx.post(f"{prefect_server}/artifacts/latest/filter", json=wanted).json()
        started = wait_for_runs(prefect_server, deployment_id)
        warnings = read_warnings(prefect_server, str(states[BAD_NIGHT - 1].state_details.flow_run_id))
        yield Nights(states, events, list(webhook.bodies), history, automation, warnings, started)


def switch_on(url: str) -> Any:
    """Do what the user does: fill in the block's address, and switch the automation on; return it as it was made."""
    with get_client(sync_client=True) as client:
        ensure_drop_automation(client)
        ensure_drop_automation(client)  # as at each start of `mcqa serve`
        [automation] = client.read_automations_by_name(DROP_AUTOMATION)
        block = CustomWebhookNotificationBlock.load(BLOCK)
        assert isinstance(block, CustomWebhookNotificationBlock)
        block.url = url
        block.save(BLOCK, overwrite=True)
        httpx.patch(f"{client.api_url}automations/{automation.id}", json={"enabled": True}).raise_for_status()
    return automation


def make_reference_automation() -> str:
    """Create the automation that deployments/README.md shows, for a deployment without a worker; return the deployment's id."""
    section = Path(ROOT, "deployments/README.md").read_text().split("## Notifications\n")[1]
    described = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    with get_client(sync_client=True) as client:
        deployment_id = str(client.create_deployment(client.create_flow_from_name("reference"), "evaluate"))
        described["trigger"]["match"]["mcqa.model"] = "fake"
        described["actions"][0]["deployment_id"] = deployment_id
        httpx.post(f"{client.api_url}automations/", json=described).raise_for_status()
    return deployment_id


def wait_for_runs(server: str, deployment_id: str) -> list[dict[str, Any]]:
    """Return the deployment's runs once there is one."""
    wanted = {"deployments": {"id": {"any_": [deployment_id]}}}

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.post(f"{server}/flow_runs/filter", json=wanted).json()
        return found

    wait_until(lambda: bool(read()))
    return read()


def read_warnings(server: str, run_id: str) -> list[str]:
    """Return the messages of the run's log at the level of a warning or above."""
    wanted = {"logs": {"flow_run_id": {"any_": [run_id]}, "level": {"ge_": 30}}}
    return [str(line["message"]) for line in httpx.post(f"{server}/logs/filter", json=wanted).json()]


def run_night(endpoint: FakeEndpoint, night: int) -> Any:
    """Run the evaluation once; the model answers all questions alike in the bad night, and the key expires in the cut one."""
    replies = itertools.count(1)
    rules = {
        BAD_NIGHT: lambda _: completion("The answer is A."),
        CUT_NIGHT: lambda body: answer_by_rule(body) if next(replies) <= 60 else error(401, "key spent"),
    }
    endpoint.rule = rules.get(night, answer_by_rule)
    return run()


def wait_for_events(server: str, count: int) -> list[dict[str, Any]]:
    """Return our events about this exam once this many are there."""
    wanted = {"filter": {"resource": {"id_prefix": ["mcqa.evaluation.nightly-exam."]}}, "limit": 50}

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.post(f"{server}/events/filter", json=wanted).json()["events"]
        return sorted(found, key=lambda event: str(event["occurred"]))

    wait_until(lambda: len(read()) >= count)
    return read()


def test_the_bad_night_alone_is_an_alarm(nights: Nights) -> None:
    """Its state says so; the other nights are as good as the first five, and the cut one is held against nothing."""
    messages = [state.message for state in nights.states]
    assert messages[BAD_NIGHT - 1] == f"{UNDER}. {DROP}"
    assert all(message.startswith("Accuracy 0.6667, ") for message in (*messages[:5], *messages[6:8]))
    assert messages[8].startswith("60 of 120 questions not scored: ")


def test_the_alarm_is_a_warning_in_the_log(nights: Nights) -> None:
    """In its own words."""
    assert f"⚠️ {DROP}" in nights.warnings


def test_every_end_is_an_event_of_its_evaluation(nights: Nights) -> None:
    """Once each, in the order in which things happened."""
    assert nights.list_events() == [
        *(["evaluation.finished"] * 6),
        "accuracy.dropped",
        "accuracy.under",
        *(["evaluation.finished"] * 2),
        "evaluation.unfinished",
    ]
    assert {event["resource"]["prefect.resource.id"] for event in nights.events} == {"mcqa.evaluation.nightly-exam.fake"}


def test_events_tell_the_numbers(nights: Nights) -> None:
    """A drop is measured against the baseline, an end against the night before; each names its run."""
    dropped, under = nights.find("accuracy.dropped")["payload"], nights.find("accuracy.under")["payload"]
    assert (dropped["accuracy"], dropped["n"], round(dropped["difference"], 4)) == (0.25, COUNT, -0.4167)
    assert len(dropped["compared_with"]) == 5
    assert dropped["run_id"] == str(nights.states[BAD_NIGHT - 1].state_details.flow_run_id)
    assert under["message"] == UNDER
    unfinished = nights.find("evaluation.unfinished")["payload"]
    assert (unfinished["n"], unfinished["unscored"], unfinished["difference"]) == (60, 60, None)
    finished = [event["payload"] for event in nights.events if event["event"] == "mcqa.evaluation.finished"]
    assert [payload["difference"] and round(payload["difference"], 4) for payload in finished] == [
        None, 0, 0, 0, 0, -0.4167, 0.4167, 0,
    ]  # fmt: skip
    assert "sk-very-secret" not in str(nights.events)


def test_the_automation_is_made_once_and_switched_off(nights: Nights) -> None:
    """Nobody is notified who did not ask for it."""
    assert not nights.automation.enabled


def test_a_drop_reaches_a_webhook(nights: Nights) -> None:
    """Filled in by the user, and told once: what has dropped, by how much, and which run shows it."""
    [told] = nights.told
    subject, message, run = told["text"].split("\n")
    assert subject == "Accuracy dropped: nightly exam.json fake"
    assert message == DROP
    assert f"/runs/flow-run/{nights.find('accuracy.dropped')['payload']['run_id']}" in run


def test_a_drop_starts_the_documented_comparison(nights: Nights) -> None:
    """With the questions that the event names."""
    [started] = nights.started
    overrides = {"questions_file": "nightly exam.json"}
    assert started["parameters"] == {"config_file": "reference-model.yaml", "overrides": overrides}


def test_the_history_is_an_artifact(nights: Nights) -> None:
    """The newest night first, with the numbers in the table itself."""
    assert nights.history["description"] == "History of nightly exam.json: 9 runs, the newest first"
    rows = json.loads(nights.history["data"])
    assert [row["accuracy"] for row in rows[1:5]] == ["0.6667", "0.6667", "0.2500", "0.6667"]
    assert [row["points"] for row in rows[1:5]] == ["0.0", "+41.7", "-41.7", "0.0"]
    assert rows[0]["remark"] == "unfinished, 60 left"
