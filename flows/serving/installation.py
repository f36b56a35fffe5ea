"""Installs what evaluations need on a Prefect server: the work pool, the deployments, and an end for abandoned runs."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from flows.serving.work_queues import ensure_work_queues
from tasks.evaluation.errors import ServerFailure

PREFECT_FILE = Path(__file__).parents[2] / "deployments" / "prefect.yaml"
FLOW = "score-questions"
WORK_POOL = "mcqa"
AUTOMATION = "Mark silent evaluations as crashed"
# Names that earlier versions gave it: two automations would act twice.
FORMER_AUTOMATIONS = ("Crash evaluations that are not heard of",)
# Three times PREFECT_FLOWS_HEARTBEAT_FREQUENCY in deployments/prefect.yaml.
SILENCE = timedelta(seconds=90)
ENDS = ("Completed", "Failed", "Cancelled", "Crashed")


def ensure_work_pool(client: SyncPrefectClient) -> None:
    """Create the work pool and its queues unless they exist."""
    with suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    ensure_work_queues(client, WORK_POOL)


def ensure_automation(client: SyncPrefectClient) -> None:
    """Make the server mark a silent run as Crashed, so that it can be retried and others need not wait for it.

    Only runs of our work pool are affected, which send a heartbeat every 30 seconds. An automation that an earlier version
    created under another name is removed.
    """
    for former in FORMER_AUTOMATIONS:
        for automation in client.read_automations_by_name(former):
            client.delete_automation(automation.id)
    if client.read_automations_by_name(AUTOMATION):
        return
    heartbeat = "prefect.flow-run.heartbeat"
    trigger = EventTrigger(
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=ResourceSpecification({"prefect.resource.role": "work-pool", "prefect.resource.name": WORK_POOL}),
        after={heartbeat},
        expect={heartbeat, *(f"prefect.flow-run.{end}" for end in ENDS)},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=SILENCE,
    )
    message = (
        f"Nothing was heard of the run for {SILENCE.seconds} seconds: its machine or worker has ended. Retry continues it."
    )
    action = ChangeFlowRunState(state=StateType.CRASHED, message=message)
    client.create_automation(AutomationCore(name=AUTOMATION, description=message, trigger=trigger, actions=[action]))


def deploy(client: SyncPrefectClient, environment: Mapping[str, str]) -> list[DeploymentResponse]:
    """Deploy what deployments/prefect.yaml describes, for runs in the working directory; return the deployments.

    Schedules and parameters that were changed in the UI stay as they are.

    Raises:
        ServerFailure: Prefect refused them.
    """
    described = yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))
    names = [str(deployment["name"]) for deployment in described["deployments"]]
    for deployment in described["deployments"]:
        existing = _read_deployment(client, deployment["name"])
        if existing:
            deployment["parameters"] = existing.parameters
            deployment.pop("schedules", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prefect.yaml"
        path.write_text(yaml.safe_dump(described), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "prefect", "--no-prompt", "deploy", "--prefect-file", str(path), "--all"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ended.returncode:
        raise ServerFailure(f"the deployments were refused: {(ended.stderr or ended.stdout).strip()[-500:]}")
    return [client.read_deployment_by_name(f"{FLOW}/{name}") for name in names]


def _read_deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(f"{FLOW}/{name}")
    except ObjectNotFound:
        return None
