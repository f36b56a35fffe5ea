"""What a run's settings come from beside its configuration file: from its deployment, or from whoever started it.

The report of a run says both. People know the deployment by the defaults in its form, and ask what this run does differently.
"""

from collections.abc import Mapping

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from pydantic import JsonValue, ValidationError

from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.server_failures import SERVER_FAILURES

FROM_FILE, FROM_DEPLOYMENT = "Different from the file", "Different from the deployment"
SET_BY_DEPLOYMENT = "Set by the deployment"
CONFIG_FILE, AS_IN_FILE = "config_file", "as in the file"

Settings = dict[str, object]


def find_changes(config_file: str | None, overrides: Overrides) -> dict[str, Settings]:
    """Return the present run's settings that are not from the configuration file, under what the report calls them.

    Args:
        config_file: the run's configuration file.
        overrides: all settings of the run that are not from it.
    """
    own = overrides.model_dump(exclude_none=True)
    parameters = _read_parameters()
    if parameters is None:
        return {FROM_FILE: own}
    return tell_apart({CONFIG_FILE: config_file, **own}, parameters)


def tell_apart(own: Settings, parameters: Mapping[str, JsonValue]) -> dict[str, Settings]:
    """Return what the deployment has set, and where the run differs from it.

    Args:
        own: the run's configuration file, as `config_file`, and its settings that are not from it.
        parameters: the deployment's parameters.
    """
    deployed = read_settings(parameters)
    kept = {name: value for name, value in deployed.items() if name != CONFIG_FILE and own.get(name) == value}
    changed = {name: own.get(name, AS_IN_FILE) for name in {**deployed, **own} if own.get(name) != deployed.get(name)}
    return {SET_BY_DEPLOYMENT: kept, FROM_DEPLOYMENT: changed}


def read_settings(parameters: Mapping[str, JsonValue]) -> Settings:
    """Return the settings that a deployment's parameters describe, as a run would read them; none if they are no such ones."""
    recurrence = parameters.get("auto_resume")
    try:
        overrides = Overrides.model_validate(parameters.get("overrides") or {})
        combined = overrides.combine(Advanced.model_validate(parameters.get("advanced") or {}))
    except ValidationError:
        return {}
    resumed = combined.resume(recurrence if isinstance(recurrence, bool) else None)
    return {CONFIG_FILE: parameters.get(CONFIG_FILE) or None, **resumed.model_dump(exclude_none=True)}


def _read_parameters() -> Mapping[str, JsonValue] | None:
    """Return the parameters of the present run's deployment; None without one, or if the server does not tell."""
    context = FlowRunContext.get()
    deployment_id = context.flow_run.deployment_id if context and context.flow_run else None
    if deployment_id is None:
        return None
    try:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
            return client.read_deployment(deployment_id).parameters
    except SERVER_FAILURES:
        return None
