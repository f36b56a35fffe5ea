"""Keys that stand in clear in configurations: a file made of them holds a variable's name in their place."""

from collections.abc import Mapping

from pydantic import JsonValue

from tasks.evaluation.config.secrets import HEADERS, MASK, is_secret, mask_secrets
from tasks.evaluation.suites.leaves import KeyPath, Leaves, flatten, unflatten

VARIABLE = "MCQA_API_KEY"


class PlainKeys:
    """Replaces keys in clear, equal ones by the same variable."""

    def __init__(self) -> None:
        self._variables: dict[str, str] = {}
        self._found: dict[str, str] = {}
        self._masked: list[str] = []

    @property
    def remarks(self) -> list[str]:
        """Return what the user must do about each key."""
        return [
            f"not copied: the key that stands in clear in {place}; the suite reads it from the environment: export {variable}"
            for variable, place in self._found.items()
        ] + [f"not copied: {place} holds a secret in clear; write it where *** stands" for place in self._masked]

    def replace(self, leaves: Leaves, source: str) -> Leaves:
        """Return the leaves without keys in clear.

        Args:
            leaves: the settings.
            source: the file that they come from.
        """
        return {**leaves, **{path: self._replace(path, leaves[path], masked, source) for path, masked in _find(leaves).items()}}

    def _replace(self, path: KeyPath, value: JsonValue, masked: JsonValue, source: str) -> JsonValue:
        place = f"{source} at {'.'.join(path)}"
        if not isinstance(value, str) or not (is_secret(path[-1], value) or HEADERS in path):
            self._masked.append(place)
            return masked
        variable = self._variables.setdefault(value, f"{VARIABLE}{f'_{len(self._variables) + 1}' if self._variables else ''}")
        self._found.setdefault(variable, place)
        return f"${{{variable}}}"


def _find(leaves: Mapping[KeyPath, JsonValue]) -> Leaves:
    """Return the leaves that hold a secret in clear, masked."""
    masked = mask_secrets(unflatten(leaves))
    assert isinstance(masked, dict)
    return {
        path: value
        for path, value in flatten(masked).items()
        if path in leaves and value != leaves[path] and MASK in str(value)
    }
