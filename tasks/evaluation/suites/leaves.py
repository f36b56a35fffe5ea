"""Settings as their leaves: each value that is no section, by the keys that lead to it."""

import json
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

KeyPath = tuple[str, ...]
Leaves = dict[KeyPath, JsonValue]


def flatten(settings: Mapping[str, JsonValue], at: KeyPath = ()) -> Leaves:
    """Return the leaves of the settings; an empty section is a leaf."""
    leaves: Leaves = {}
    for key, value in settings.items():
        path = (*at, str(key))
        leaves |= flatten(value, path) if isinstance(value, dict) and value else {path: value}
    return leaves


def unflatten(leaves: Mapping[KeyPath, JsonValue]) -> dict[str, JsonValue]:
    """Return the settings that have these leaves."""
    settings: dict[str, JsonValue] = {}
    for (*sections, key), value in leaves.items():
        section = settings
        for name in sections:
            inner = section.setdefault(name, {})
            assert isinstance(inner, dict), "no leaf has others below it"
            section = inner
        section[key] = value
    return settings


def describe(leaves: Mapping[KeyPath, JsonValue], paths: Iterable[KeyPath]) -> str:
    """Return the values at these paths as one text, the same for equal values; a missing one differs from null."""
    return json.dumps([[leaves[path]] if path in leaves else [] for path in paths], sort_keys=True)
