"""The run form of the deployments: menus of what lies in the served folder, made each time `mcqa serve` starts.

`prefect deploy` stores with each deployment the JSON schema of the flow's parameters, from which the UI makes the form and by
which the server refuses values. This module offers files and models in it. A menu never keeps a value out: each has a switch to
a field for any other text, and what was deployed without menus is accepted with them.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.responses import DeploymentResponse
from pydantic.config import JsonDict

from flows.serving.served_files import ServedFiles
from tasks.evaluation.config.overrides import offer
from tasks.evaluation.endpoints.described import SELF_GRADER
from tasks.server_failures import SERVER_FAILURES

IN_FOLDER, ELSEWHERE = "In the folder", "Another path"
IN_SERVERS_FILE = "In the model servers file"
WITH_MENUS = ("config_file", "overrides", "suite_file")
REFRESHED = "Menus show what was there when mcqa serve started."


def offer_served(client: SyncPrefectClient, deployments: Iterable[DeploymentResponse], served: ServedFiles) -> str:
    """Store the form with its menus at each deployment, whose schema is still as `prefect deploy` has left it.

    Returns:
        What the form offers, for the terminal; or why it has no menus, which keeps nobody from serving.
    """
    try:
        for deployment in deployments:
            schema = make_form(deployment.parameter_openapi_schema or {}, deployment.parameters, served)
            client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=schema))
    except SERVER_FAILURES as failure:
        return f"⚠️ The run form has no menus, since the server does not take them: {failure}"
    return f"The run form offers {served}"


def make_form(deployed: JsonDict, parameters: Mapping[str, object], served: ServedFiles) -> JsonDict:
    """Return the schema of the flow's parameters with menus of what the folder holds.

    Args:
        deployed: the schema without menus.
        parameters: the deployment's own; what they hold in the first box is shown there, even if it belongs in the second.
        served: what the menus offer; a menu without entries is a plain field.
    """
    schema = deepcopy(deployed)
    fields = _read_object(schema, "properties")
    first = _read_object(schema, "definitions", "Overrides")
    own = parameters.get("overrides")
    _show_own(first, own if isinstance(own, dict) else {})
    shown = _read_object(first, "properties")
    graders = served.models and (*dict.fromkeys([*served.models, SELF_GRADER]),)
    _offer(fields, "config_file", served.configs, IN_FOLDER, ELSEWHERE, is_required=True)
    _offer(fields, "suite_file", served.suites, IN_FOLDER, ELSEWHERE, is_required=True)
    _offer(shown, "questions_file", served.questions, IN_FOLDER, ELSEWHERE)
    _offer(shown, "model", served.models, IN_SERVERS_FILE, "Another model")
    _offer(shown, "grader", graders, IN_SERVERS_FILE, "Another name")
    for name in fields:
        _describe(_read_object(fields, name), REFRESHED if name in WITH_MENUS else "")
    return schema


def _show_own(box: JsonDict, own: Mapping[str, object]) -> None:
    """Show in the first box what the deployment sets there: what nobody sees, nobody can change."""
    unseen, shown = _read_object(box, "patternProperties"), _read_object(box, "properties")
    for name in own:
        accepted = unseen.pop(f"^{name}$", None)
        options = accepted.get("anyOf") if isinstance(accepted, dict) else None
        if isinstance(options, list):
            shown[name] = options[0]


def _offer(fields: JsonDict, name: str, values: tuple[str, ...], title: str, other: str, *, is_required: bool = False) -> None:
    field = fields.get(name)
    if values and isinstance(field, dict) and field.get("type") == "string":
        offer(field, values, title, other, is_required=is_required)


def _describe(field: JsonDict, added: str) -> None:
    """Make a sentence of what the flow's docstring says, and add one."""
    said = str(field.get("description", ""))
    field["description"] = f"{said[:1].upper()}{said[1:]} {added}".strip()


def _read_object(schema: JsonDict, *path: str) -> JsonDict:
    """Return the object at the path; an empty one, which belongs to nothing, if the path leads nowhere."""
    found: object = schema
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
