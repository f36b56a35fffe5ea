"""Installs what evaluations need on a Prefect server: the work pool and the deployments."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate, WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from flows.serving.deployments_file import OwnDeployment
from flows.serving.kept_parameters import keep_parameters
from flows.serving.own_deployments import describe, remove_other_schedules, require_free_names
from flows.serving.work_queues import ensure_work_queues
from tasks.evaluation.errors import ServerFailure

PREFECT_FILE = Path(__file__).parents[2] / "deployments" / "prefect.yaml"
FLOW = "score-questions"
WORK_POOL = "mcqa"


def ensure_work_pool(client: SyncPrefectClient) -> None:
    """Create the work pool and its queues unless they exist."""
    with suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type="process"))
    ensure_work_queues(client, WORK_POOL)


def list_reserved_names() -> list[str]:
    """Return the names of the deployments that every installation has."""
    described = yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))
    return [str(deployment["name"]) for deployment in described["deployments"]]


def deploy(client: SyncPrefectClient, environment: Mapping[str, str], own: Sequence[OwnDeployment]) -> list[DeploymentResponse]:
    """Deploy what deployments/prefect.yaml describes and the user's own deployments; return all of them.

    Their runs look for their files in the working directory. Schedules and parameters of the former that were changed in the UI
    stay as they are.

    Raises:
        UserMistake: the server has a deployment of somebody else under the name of the user's own.
        ServerFailure: Prefect refused them.
    """
    installed = {each.name: _read_deployment(client, each.name) for each in own}
    require_free_names(installed)
    described = yaml.safe_load(PREFECT_FILE.read_text(encoding="utf-8"))
    for deployment in described["deployments"]:
        existing = _read_deployment(client, deployment["name"])
        if existing:
            deployment["parameters"] = keep_parameters(deployment["parameters"], existing.parameters)
            deployment.pop("schedules", None)
    described["deployments"] += [describe(each, described["definitions"], installed[each.name]) for each in own]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prefect.yaml"
        path.write_text(yaml.safe_dump(described), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "prefect", "--no-prompt", "deploy", "--prefect-file", str(path), "--all"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if ended.returncode:
        raise ServerFailure(f"the deployments were refused: {(ended.stderr or ended.stdout).strip()[-500:]}")
    return [_read_back(client, deployment) for deployment in described["deployments"]]


def _read_back(client: SyncPrefectClient, described: Mapping[str, Any]) -> DeploymentResponse:
    """Return the deployment as the server has it, with its parameters and schedules as described.

    `prefect deploy` takes doubled braces in a text, such as a prompt, for placeholders and removes them.
    """
    deployment = client.read_deployment_by_name(f"{FLOW}/{described['name']}")
    remove_other_schedules(client, deployment, described)
    if deployment.parameters != described["parameters"]:
        client.update_deployment(deployment.id, DeploymentUpdate(parameters=described["parameters"]))
    return client.read_deployment(deployment.id)


def _read_deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return client.read_deployment_by_name(f"{FLOW}/{name}")
    except ObjectNotFound:
        return None
