"""The user's own deployments: the file deployments.yaml in the folder in which `mcqa serve` is called.

    deployments:
    - name: weekly
      description: All of MMLU, each Monday.
      parameters:                  # those of the run form: config_file, overrides, auto_resume, advanced
        config_file: mmlu.yaml
        auto_resume: false
      schedule:
        cron: "0 3 * * 1"
        timezone: Europe/Berlin    # UTC without it
        active: true               # without it: on at first, then as it is switched in the UI
      tags: [mmlu]

Only the name and the parameters are required. Everything is checked before anything is started, the parameters as the flow
would check them.
"""

import difflib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from prefect.client.schemas.schedules import CronSchedule
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, ValidationError, field_validator

from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.loading import find_config_file, find_folder, load_config
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.config.yaml_files import read_yaml
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.run.preparation import find_endpoints

FILE_NAME, MISTAKEN_NAME = "deployments.yaml", "deployments.yml"
KEY = "deployments"


class Parameters(BaseModel):
    """The parameters of the flow; an empty one is left to the flow."""

    model_config = ConfigDict(extra="forbid")

    config_file: str | None = None
    """The path of the YAML file of settings."""
    overrides: Overrides = Overrides()
    """What the deployment's runs do differently."""
    auto_resume: StrictBool | None = None
    """Reuse what earlier runs have answered, or ask everything again."""
    advanced: Advanced = Advanced()
    """The same as the overrides, for settings that are seldom changed."""

    def check(self) -> None:
        """Check that a run with these parameters would find its settings, its models and their keys.

        Raises:
            UserMistake: it would not.
        """
        if not self.config_file and not (self.overrides.questions_file and self.overrides.model):
            raise UserMistake("parameters.config_file is missing")
        config = load_config(self.config_file, self.overrides.combine(self.advanced).resume(self.auto_resume))
        folder = find_folder(find_config_file(self.config_file))
        find_endpoints(config, folder, KeyReader(os.environ, lambda _: NO_KEY))

    def to_json(self) -> dict[str, JsonValue]:
        """Return the parameters that are given, as Prefect's server keeps them."""
        return {name: value for name, value in self.model_dump(mode="json", exclude_none=True).items() if value != {}}


class Schedule(BaseModel):
    """When a deployment's runs begin."""

    model_config = ConfigDict(extra="forbid")

    cron: str
    """Minute, hour, day of the month, month, day of the week."""
    timezone: str = "UTC"
    """The time zone of these, as `Europe/Berlin`."""
    active: StrictBool | None = None
    """On or off; None: on at first, then as it was switched in the UI."""

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, cron: str) -> str:
        # Prefect would take a sixth field for seconds.
        if len(cron.split()) != 5:
            raise ValueError("five fields are needed: minute, hour, day of the month, month, day of the week")
        _check_schedule(cron, "UTC")
        return cron

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, timezone: str) -> str:
        _check_schedule("0 0 * * *", timezone)
        return timezone


class OwnDeployment(BaseModel):
    """A deployment of the user's own."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=r"^[^/%&<>\s]([^/%&<>]*[^/%&<>\s])?$")]
    """Its name; Prefect allows all but a few signs."""
    parameters: Parameters
    """Those of its runs; a run that is started by hand may change them."""
    description: str = ""
    """What the UI shows above it."""
    schedule: Schedule | None = None
    """None: its runs are started by hand."""
    tags: list[str] = Field(default_factory=list)
    """Its tags besides ours."""


def read_own_deployments(folder: Path, reserved: Collection[str]) -> list[OwnDeployment]:
    """Return the deployments that the folder's file describes; none if there is no such file.

    Args:
        folder: the working directory, where runs look for their files too.
        reserved: the names of the deployments that are there anyway.

    Raises:
        UserMistake: the file cannot be read, or a deployment in it could not run.
    """
    if (folder / MISTAKEN_NAME).exists():
        raise UserMistake(f"{MISTAKEN_NAME} is not read: call the file {FILE_NAME}")
    if not (folder / FILE_NAME).exists():
        return []
    content = read_yaml(str(folder / FILE_NAME))
    listed = content.get(KEY)
    if set(content) != {KEY} or not isinstance(listed, list):
        raise UserMistake(f"{FILE_NAME}: a list was expected under the key {KEY!r}, and no other key")
    taken = dict.fromkeys(reserved, "is the name of a deployment that is there anyway")
    deployments: list[OwnDeployment] = []
    for number, described in enumerate(listed, 1):
        deployment = _read_deployment(number, described)
        if deployment.name in taken:
            raise UserMistake(f"{FILE_NAME}: {deployment.name!r} {taken[deployment.name]}: choose another name")
        taken[deployment.name] = "is the name of two deployments"
        deployments.append(deployment)
    return deployments


def _read_deployment(number: int, described: JsonValue) -> OwnDeployment:
    """Return the deployment that stands there, counted from 1, and check that it could run."""
    given = described.get("name") if isinstance(described, dict) else None
    place = f"{FILE_NAME}: {given if isinstance(given, str) and given else f'deployment {number}'}"
    try:
        deployment = OwnDeployment.model_validate(described)
        deployment.parameters.check()
    except ValidationError as error:
        raise UserMistake(f"{place}: {_explain(error)}") from None
    except UserMistake as error:
        raise UserMistake(f"{place}: {error}") from None
    return deployment


def _check_schedule(cron: str, timezone: str) -> None:
    try:
        CronSchedule(cron=cron, timezone=timezone)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def _explain(error: ValidationError) -> str:
    """Describe the first error: the key's path and the reason. Unknown keys come first."""
    detail = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    path = [str(part) for part in detail["loc"]]
    if detail["type"] == "extra_forbidden":
        return _explain_unknown_key(path)
    if detail["type"] == "missing":
        return f"{'.'.join(path)} is missing"
    if detail["type"] == "model_type":
        return f"{'.'.join(path) or 'the deployment'}: settings were expected (`key: value` lines)"
    if detail["type"] == "string_pattern_mismatch":
        return f"{'.'.join(path)}: {detail['input']!r} cannot be used: a text without / % & < > was expected"
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{'.'.join(path)}: {detail['input']!r} cannot be used: {reason[0].lower()}{reason[1:]}"


def _explain_unknown_key(path: list[str]) -> str:
    models: dict[str, type[BaseModel]] = {"parameters": Parameters, "schedule": Schedule}
    models |= {"parameters.overrides": Overrides, "parameters.advanced": Advanced}
    known = models.get(".".join(path[:-1]), OwnDeployment).model_fields
    nearest = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known here: {', '.join(known)}"
    where = f" in {'.'.join(path[:-1])}" if path[:-1] else ""
    return f"unknown key {path[-1]!r}{where}: {hint}"
