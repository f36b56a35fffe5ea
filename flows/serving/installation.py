"""Installs what evaluations need on a Prefect server: the work pool and the deployments."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from flows.serving.kept_parameters import keep_parameters
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
            deployment["parameters"] = keep_parameters(deployment["parameters"], existing.parameters)
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
