"""The user's own deployments on the server: made as the file says, and nobody else's is touched."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule

from flows.serving.deployments_file import OwnDeployment
from flows.serving.own_deployments import Definitions, describe, is_ours, require_free_names
from tasks.evaluation.errors import UserMistake

SHARED: Definitions = {
    "flow": {"entrypoint": "flows.score_questions.score_questions", "enforce_parameter_schema": True},
    "urgent": {"name": "mcqa", "work_queue_name": "urgent"},
    "nightly": {"name": "mcqa", "work_queue_name": "nightly"},
}
WEEKLY = {
    "name": "weekly",
    "parameters": {"config_file": "config.yaml", "auto_resume": False},
    "schedule": {"cron": "0 3 * * 1", "timezone": "Europe/Berlin"},
    "tags": ["mmlu"],
}


def own(**changes: object) -> OwnDeployment:
    return OwnDeployment.model_validate({**WEEKLY, **changes})


def installed(folder: Path | str, *tags: str, active: bool = True) -> DeploymentResponse:
    """Return what the server has of a deployment that was made in that folder."""
    schedule = DeploymentSchedule(schedule=CronSchedule(cron="0 0 * * *"), active=active)
    step = {"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}
    return DeploymentResponse(
        id=uuid4(),
        created=datetime.now(UTC),
        updated=datetime.now(UTC),
        name="weekly",
        flow_id=uuid4(),
        labels={},
        tags=list(tags),
        schedules=[schedule],
        pull_steps=[step],
    )


def test_a_deployment_is_described_as_ours_are() -> None:
    """With its mark, and the queue of runs that can wait."""
    described = describe(own(), SHARED, None)
    schedule = {"slug": "own", "cron": "0 3 * * 1", "timezone": "Europe/Berlin", "active": True}
    assert (described["name"], described["entrypoint"]) == ("weekly", "flows.score_questions.score_questions")
    assert described["parameters"] == {"config_file": "config.yaml", "auto_resume": False}
    assert described["schedules"] == [schedule]
    assert described["tags"] == ["mcqa", "deployments.yaml", "mmlu"]
    assert described["work_pool"] == {"name": "mcqa", "work_queue_name": "nightly"}


def test_without_a_schedule_somebody_waits_for_it() -> None:
    """And a schedule that it once had goes."""
    described = describe(own(schedule=None), SHARED, None)
    assert described["schedules"] == []
    assert described["work_pool"] == {"name": "mcqa", "work_queue_name": "urgent"}


@pytest.mark.parametrize(
    ("in_file", "in_ui", "becomes"), [(None, True, True), (None, False, False), (True, False, True), (False, True, False)]
)
def test_a_schedule_stays_as_switched_unless_the_file_says(in_file: bool | None, in_ui: bool, becomes: bool) -> None:
    """Somebody who switched it off during an incident does not find it on after a restart."""
    deployment = own(schedule={"cron": "0 3 * * 1", "active": in_file})
    described = describe(deployment, SHARED, installed(Path.cwd(), "deployments.yaml", active=in_ui))
    assert isinstance(described["schedules"], list)
    assert [isinstance(each, dict) and each["active"] for each in described["schedules"]] == [becomes]


def test_only_what_this_folder_s_file_has_made_is_ours(folder: Path) -> None:
    """Neither what another folder's file has made, nor what somebody deployed here by hand."""
    assert is_ours(installed(folder, "mcqa", "deployments.yaml"))
    assert not is_ours(installed(folder / "other", "mcqa", "deployments.yaml"))
    assert not is_ours(installed(folder, "mcqa"))


def test_somebody_else_s_deployment_is_not_overwritten(folder: Path) -> None:
    """The message says whose it is."""
    require_free_names({"weekly": installed(folder, "deployments.yaml"), "new": None})
    with pytest.raises(
        UserMistake, match="already has a deployment 'weekly', made from the file in /other: choose another name"
    ):
        require_free_names({"weekly": installed("/other", "deployments.yaml")})
    with pytest.raises(UserMistake, match="already has a deployment 'weekly', made in another way: choose another name"):
        require_free_names({"weekly": installed(folder, "mcqa")})
