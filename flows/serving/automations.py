"""The automations that evaluations need on a Prefect server.

An end for runs whose process was killed or never began, and advice for runs whose pause has ended.
"""

from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from flows.opening.signs_of_life import ALIVE, EVERY_SECONDS

KILLED = "Mark killed evaluations as crashed"
STUCK = "Mark evaluations that have not begun as crashed"
EXPIRED = "Say how to continue evaluations whose pause has ended"
# Names that earlier versions gave the first: two automations would act twice, and the earlier ones on paused runs too.
FORMER = ("Crash evaluations that are not heard of", "Mark silent evaluations as crashed")
SILENCE = timedelta(seconds=3 * EVERY_SECONDS)
# The states that a run can be given while its process runs, or after it has gone, in which nobody waits for a sign of life.
# `prefect.flow-run.*` would also expect Prefect's heartbeats, after which a killed run would no longer be missed.
NOT_RUNNING = (
    "Completed",
    "Failed",
    "TimedOut",
    "Cancelled",
    "Crashed",
    "Paused",
    "Suspended",
    "Resuming",
    "Scheduled",
    "AwaitingRetry",
)
FLOW_RUN = "prefect.flow-run.*"
OF_OUR_DEPLOYMENTS = [
    ResourceSpecification({"prefect.resource.role": "flow", "prefect.resource.name": "score-questions"}),
    ResourceSpecification({"prefect.resource.role": "deployment"}),  # without one, a run cannot be retried
]
SILENT = f"Nothing was heard from the run for {SILENCE.seconds} seconds: its machine or worker has ended. Retry continues it."
# The names of the states between a worker's taking of a run and the first state that the run's own process gives it. A run that
# waits for a place in its deployment, pool or worker is Scheduled.
TAKEN = ("Pending", "Submitting", "InfrastructurePending")
# A process takes seconds, up to a minute on a busy machine, and a retry may wait another for the end of a cancellation
# (`flows/serving/worker.py`). But a container is Pending too while its node starts and pulls an image of many gigabytes.
BEGINNING = timedelta(minutes=30)
NEVER_BEGUN = (
    f"A worker took the run {BEGINNING.seconds // 60} minutes ago, and it has not begun: its machine or worker has ended. "
    "Retry starts it again."
)
# What Prefect says itself.
NEVER_RESUMED = "The flow was * and never resumed."
PAUSE_ENDED = "Nobody resumed the paused run in time, so Prefect ended it. What has arrived is kept: Retry continues it."


def ensure_automations(client: SyncPrefectClient) -> None:
    """Create the automations unless they exist, and remove those of earlier versions."""
    for former in FORMER:
        for automation in client.read_automations_by_name(former):
            client.delete_automation(automation.id)
    for described in (describe_killed(), describe_stuck(), describe_expired()):
        if not client.read_automations_by_name(described.name):
            client.create_automation(described)


def describe_killed() -> AutomationCore:
    """Return the automation that marks a run as Crashed whose process has gone without a word.

    It can then be retried, and others need not wait for it. A sign of life is awaited only after a first one, so that runs that
    wait to begin are left alone.
    """
    trigger = EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": FLOW_RUN}),
        after={ALIVE},
        expect={"mcqa.flow-run.*", *(f"prefect.flow-run.{state}" for state in NOT_RUNNING)},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=SILENCE,
    )
    action = ChangeFlowRunState(state=StateType.CRASHED, message=SILENT)
    return AutomationCore(name=KILLED, description=SILENT, trigger=trigger, actions=[action])


def describe_stuck() -> AutomationCore:
    """Return the automation that marks a run as Crashed that a worker has taken and that then does not begin.

    Any event of the run ends the wait, and each of the states before its beginning starts it again. A process that begins after
    that sets its run to Running all the same, or leaves it to a retry's process (`flows/opening/sole_process.py`). If the
    deployment limits its runs, it has lost its place (`flows/stopping/lost_place.py`).
    """
    trigger = EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": FLOW_RUN}),
        match_related=OF_OUR_DEPLOYMENTS,
        after={f"prefect.flow-run.{state}" for state in TAKEN},
        expect={FLOW_RUN},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=BEGINNING,
    )
    action = ChangeFlowRunState(state=StateType.CRASHED, message=NEVER_BEGUN)
    return AutomationCore(name=STUCK, description=NEVER_BEGUN, trigger=trigger, actions=[action])


def describe_expired() -> AutomationCore:
    """Return the automation that says in the message of a run whose pause was never resumed how it is continued.

    The server itself fails such a run, with a message by which it is known here.
    """
    trigger = EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": FLOW_RUN, "prefect.state-message": NEVER_RESUMED}),
        match_related=OF_OUR_DEPLOYMENTS,
        expect={"prefect.flow-run.Failed"},
        for_each={"prefect.resource.id"},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )
    action = ChangeFlowRunState(state=StateType.FAILED, message=PAUSE_ENDED)
    return AutomationCore(name=EXPIRED, description=PAUSE_ENDED, trigger=trigger, actions=[action])
