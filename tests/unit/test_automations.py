"""Which events the automations on the server act upon, judged by Prefect's own classes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from prefect.events.schemas.automations import AutomationCore
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent

from flows.serving.automations import PAUSE_ENDED, describe_expired, describe_killed, describe_stuck

RUN = f"prefect.flow-run.{uuid4()}"
FLOW = {
    "prefect.resource.id": f"prefect.flow.{uuid4()}",
    "prefect.resource.role": "flow",
    "prefect.resource.name": "score-questions",
}

DEPLOYMENT = {"prefect.resource.id": f"prefect.deployment.{uuid4()}", "prefect.resource.role": "deployment"}


def read_trigger(automation: AutomationCore) -> EventTrigger:
    """Return the automation's trigger as the server understands it."""
    return EventTrigger.model_validate(automation.trigger.model_dump(mode="json"))


def make_event(name: str, message: str = "", related: Sequence[dict[str, str]] = (FLOW, DEPLOYMENT)) -> ReceivedEvent:
    """Return an event of an evaluation's flow run."""
    resource = {"prefect.resource.id": RUN, "prefect.state-message": message}
    return ReceivedEvent(
        id=uuid4(), occurred=datetime.now(UTC), received=datetime.now(UTC), event=name, resource=resource, related=related
    )


def test_only_a_sign_of_life_makes_the_next_one_awaited() -> None:
    """So that a run that waits to begin, or whose body ends at once, is never missed."""
    trigger = read_trigger(describe_killed())
    assert trigger.starts_after("mcqa.flow-run.alive")
    assert not trigger.starts_after("prefect.flow-run.Running")
    assert not trigger.starts_after("prefect.flow-run.heartbeat")


@pytest.mark.parametrize(
    "name",
    [
        "mcqa.flow-run.alive",
        "mcqa.flow-run.left",
        "prefect.flow-run.Suspended",
        "prefect.flow-run.AwaitingRetry",
        "prefect.flow-run.Crashed",
        "prefect.flow-run.Completed",
    ],
)
def test_a_sign_or_a_state_without_a_process_ends_the_wait(name: str) -> None:
    """A paused run, or one that waits for its retry, has no process that could give a sign."""
    trigger = read_trigger(describe_killed())
    assert trigger.expects(name)
    assert trigger.covers(make_event(name))


@pytest.mark.parametrize("name", ["prefect.flow-run.heartbeat", "prefect.flow-run.Running", "prefect.task-run.Completed"])
def test_other_events_do_not_end_the_wait(name: str) -> None:
    """A killed run is still missed when one of Prefect's own events came after its last sign."""
    assert not read_trigger(describe_killed()).expects(name)


@pytest.mark.parametrize("state", ["Pending", "Submitting", "InfrastructurePending"])
def test_a_run_that_a_worker_has_taken_is_expected_to_begin(state: str) -> None:
    """Each of these states starts the wait again: Prefect counts an event of both kinds for the next wait, not for itself."""
    trigger = read_trigger(describe_stuck())
    event = f"prefect.flow-run.{state}"
    assert trigger.starts_after(event)
    assert trigger.expects(event)
    assert trigger.covers(make_event(event))


@pytest.mark.parametrize("state", ["Scheduled", "Late", "AwaitingConcurrencySlot", "AwaitingRetry", "Resuming", "Running"])
def test_a_run_that_waits_for_a_worker_or_has_begun_is_not_expected_to_begin(state: str) -> None:
    """However long it waits; and what comes after a worker has taken it ends that wait."""
    trigger = read_trigger(describe_stuck())
    assert not trigger.starts_after(f"prefect.flow-run.{state}")
    assert trigger.expects(f"prefect.flow-run.{state}")


@pytest.mark.parametrize("related", [[FLOW], [DEPLOYMENT], [DEPLOYMENT, {**FLOW, "prefect.resource.name": "train"}]])
def test_runs_of_others_may_stay_pending(related: list[dict[str, str]]) -> None:
    """On a server that other flows use too, and for `mcqa score`, whose run no worker takes."""
    assert not read_trigger(describe_stuck()).covers(make_event("prefect.flow-run.Pending", related=related))


@pytest.mark.parametrize("message", ["The flow was paused and never resumed.", "The flow was resuming and never resumed."])
def test_a_pause_that_was_not_resumed_gets_advice(message: str) -> None:
    """Prefect says the one when the time is up, the other to those who press Resume just then."""
    assert read_trigger(describe_expired()).covers(make_event("prefect.flow-run.Failed", message))


@pytest.mark.parametrize("message", ["37 of 400 questions not scored: the generator answered 503 (37)", PAUSE_ENDED])
def test_other_failures_keep_their_message(message: str) -> None:
    """Above all the message that this automation has given: it would otherwise act on its own work."""
    assert not read_trigger(describe_expired()).covers(make_event("prefect.flow-run.Failed", message))


def test_a_run_that_no_worker_could_retry_keeps_its_message() -> None:
    """`mcqa score` goes on when its run is labelled as suspended."""
    event = make_event("prefect.flow-run.Failed", "The flow was paused and never resumed.", [FLOW])
    assert not read_trigger(describe_expired()).covers(event)
