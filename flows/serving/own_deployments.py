"""The user's own deployments on Prefect's server: described as ours are, and removed once the file names them no longer."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.client.schemas.responses import DeploymentResponse
from pydantic import JsonValue

from flows.serving.deployments_file import FILE_NAME, OwnDeployment
from tasks.evaluation.errors import UserMistake

# Marks what was made from the file, and must go when it is no longer in it.
TAG = FILE_NAME
SLUG = "own"


class Definitions(TypedDict):
    """The parts of deployments/prefect.yaml that several deployments share."""

    flow: dict[str, JsonValue]
    """What runs."""
    urgent: dict[str, JsonValue]
    """The queue of runs that somebody waits for."""
    nightly: dict[str, JsonValue]
    """The queue of runs that can wait."""


def describe(own: OwnDeployment, definitions: Definitions, installed: DeploymentResponse | None) -> dict[str, JsonValue]:
    """Return the deployment as deployments/prefect.yaml would hold it.

    Args:
        own: the deployment.
        definitions: what it shares with ours.
        installed: what the server has under this name.
    """
    schedule, before = own.schedule, installed.schedules if installed else []
    schedules: list[JsonValue] = []
    if schedule:
        active = schedule.active
        if active is None:
            active = all(each.active for each in before)
        schedules = [{"slug": SLUG, "cron": schedule.cron, "timezone": schedule.timezone, "active": active}]
    return {
        **definitions["flow"],
        "name": own.name,
        "description": own.description or f"From {FILE_NAME} in {Path.cwd()}.",
        "tags": ["mcqa", TAG, *own.tags],
        "parameters": own.parameters.to_json(),
        "schedules": schedules,
        "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
        "work_pool": dict(definitions["nightly" if schedule else "urgent"]),
    }


def require_free_names(installed: Mapping[str, DeploymentResponse | None]) -> None:
    """Check that no deployment of somebody else would be overwritten.

    Args:
        installed: what the server has under each name.

    Raises:
        UserMistake: a name is taken.
    """
    for name, deployment in installed.items():
        if deployment and not is_ours(deployment):
            made = f"from the file in {_find_folder(deployment)}" if TAG in deployment.tags else "in another way"
            reason = f"the server already has a deployment {name!r}, made {made}"
            raise UserMistake(f"{FILE_NAME}: {reason}: choose another name, or delete that one")


def remove_other_schedules(client: SyncPrefectClient, deployment: DeploymentResponse, described: Mapping[str, object]) -> None:
    """Remove the schedules that the deployment has and the file does not: `prefect deploy` leaves them."""
    if TAG in deployment.tags:
        for schedule in deployment.schedules:
            if not described["schedules"] or schedule.slug != SLUG:
                client.delete_deployment_schedule(deployment.id, schedule.id)


def remove_dropped(client: SyncPrefectClient, names: Collection[str]) -> list[str]:
    """Remove the deployments that were made from this folder's file and are no longer in it; return their names.

    Their runs stay in the history, but can no longer be retried.
    """
    tagged = client.read_deployments(deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG])))
    dropped = [deployment for deployment in tagged if deployment.name not in names and is_ours(deployment)]
    for deployment in dropped:
        client.delete_deployment(deployment.id)
    return sorted(deployment.name for deployment in dropped)


def is_ours(deployment: DeploymentResponse) -> bool:
    """Return True if the deployment was made from the file in the working directory."""
    return TAG in deployment.tags and _find_folder(deployment) == str(Path.cwd())


def _find_folder(deployment: DeploymentResponse) -> str:
    """Return the folder in which the deployment's runs look for their files; empty if it has none."""
    steps: Sequence[Mapping[str, object]] = deployment.pull_steps or []
    folders = [step[each] for step in steps for each in step if each.endswith("set_working_directory")]
    return next((str(folder["directory"]) for folder in folders if isinstance(folder, dict)), "")
