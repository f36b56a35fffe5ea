"""The parameters of a deployment that is installed again, possibly over one of an earlier version."""

from collections.abc import Mapping

from pydantic import JsonValue

RECURRENCE = "auto_resume"


def keep_parameters(described: Mapping[str, JsonValue], installed: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the installed parameters, as they may have been changed in the UI, with what makes the deployment recurrent.

    Earlier versions had that among the overrides, where any other override of a schedule removed it.

    Args:
        described: the parameters in deployments/prefect.yaml.
        installed: those that the server has.
    """
    kept = dict(installed)
    if RECURRENCE not in described or RECURRENCE in installed:
        return kept
    overrides = kept.pop("overrides", None)
    rest = dict(overrides) if isinstance(overrides, dict) else {}
    earlier = rest.pop(RECURRENCE, None)
    if rest:
        kept["overrides"] = rest
    return {**kept, RECURRENCE: described[RECURRENCE] if earlier is None else earlier}
