"""The kinds of values that a column holds, found out from the values of all records.

A typed table needs one kind for each column, and records differ: a field may be a number in one question and a text in the
next. So a column begins with no kind and is widened by each value: whole numbers and others become numbers, lists and objects
are widened member by member. What fits nothing else is text: texts as they are, all other values as their JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tasks.evaluation.exporting.unicode_texts import replace_surrogates
from tasks.evaluation.json_lines import JsonValue

# Members of one object, and levels of nesting, beyond which it is kept as JSON: they are data, not names of columns.
MOST_MEMBERS = 1_000
DEEPEST = 16
# A column holds whole numbers of 64 bits; larger ones are texts.
LARGEST_WHOLE = 2**63
# Objects with a member for each token.
BY_TOKEN = frozenset({"token_logprobs", "probabilities"})

Scalar = Literal["none", "boolean", "whole", "number", "text"]


@dataclass
class Items:
    """A list whose values are all of one kind."""

    kind: "Kind" = "none"
    """The kind of its values."""


@dataclass
class Members:
    """An object with named members."""

    kinds: dict[str, "Kind"] = field(default_factory=dict)
    """Each member's kind."""


@dataclass(frozen=True)
class Numbers:
    """An object that names numbers, with other names in each record."""


Kind = Scalar | Items | Members | Numbers


def widen(kind: Kind, value: JsonValue, name: str = "", depth: int = 0) -> Kind:
    """Return a kind that holds this value too; lists and objects are widened in place.

    Args:
        kind: what the values so far need.
        value: one more.
        name: what the value is called; token probabilities are known by theirs.
        depth: how deep in its record the value lies.
    """
    if value is None or kind == "text":
        return kind
    if isinstance(value, list):
        return _widen_items(Items() if kind == "none" else kind, value, depth)
    if isinstance(value, dict):
        empty = Numbers() if name in BY_TOKEN else Members()
        return _widen_members(empty if kind == "none" else kind, value, depth)
    return _widen_scalar(kind, _find_scalar(value))


def settle(kind: Kind) -> Kind:
    """Return the kind for the end, when all values are known: what never had a value or a member is text."""
    if isinstance(kind, Items):
        return Items(settle(kind.kind))
    if isinstance(kind, Members) and kind.kinds:
        return Members({name: settle(each) for name, each in kind.kinds.items()})
    return "text" if kind == "none" or isinstance(kind, Members) else kind


def convert(kind: Kind, value: JsonValue) -> JsonValue:
    """Return a value that `kind` was widened by as a column of this kind holds it."""
    if isinstance(kind, Items) and isinstance(value, list):
        return [convert(kind.kind, each) for each in value]
    if isinstance(kind, Members | Numbers) and isinstance(value, dict):
        named = ((replace_surrogates(name), each) for name, each in value.items())
        return {name: convert(kind.kinds[name] if isinstance(kind, Members) else "number", each) for name, each in named}
    if isinstance(value, str):
        return replace_surrogates(value)
    if kind == "text" and value is not None:
        return replace_surrogates(json.dumps(value, ensure_ascii=False))
    return float(value) if kind == "number" and isinstance(value, int) else value


def _widen_items(kind: Kind, values: list[JsonValue], depth: int) -> Kind:
    if not isinstance(kind, Items) or depth == DEEPEST:
        return "text"
    for value in values:
        kind.kind = widen(kind.kind, value, depth=depth + 1)
    return kind


def _widen_members(kind: Kind, members: Mapping[str, JsonValue], depth: int) -> Kind:
    if isinstance(kind, Numbers):
        return kind if {_find_scalar(value) for value in members.values()} <= {"whole", "number"} else "text"
    if not isinstance(kind, Members) or depth == DEEPEST:
        return "text"
    for name, value in members.items():
        known = replace_surrogates(name)
        kind.kinds[known] = widen(kind.kinds.get(known, "none"), value, name, depth + 1)
    return "text" if len(kind.kinds) > MOST_MEMBERS else kind


def _find_scalar(value: JsonValue) -> Scalar:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "whole" if -LARGEST_WHOLE <= value < LARGEST_WHOLE else "text"
    return "number" if isinstance(value, float) else "text"


def _widen_scalar(kind: Kind, scalar: Scalar) -> Kind:
    if kind in ("none", scalar):
        return scalar
    return "number" if kind in ("whole", "number") and scalar in ("whole", "number") else "text"
