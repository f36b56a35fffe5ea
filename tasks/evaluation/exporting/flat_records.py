"""Records as flat rows: a name for each value, however deep it lies.

    evaluation.score     a member of a nested object
    choice.A             a choice of the question, by its label
    field.subject        a member of the record's `fields`
    repeat.2.score       a member of the second of several repeats

A value is a text, a number, a boolean or None; a list is its JSON, and so are token probabilities, whose names differ from
question to question.
"""

import json
from collections.abc import Mapping

from tasks.evaluation.exporting.questions import part_record
from tasks.evaluation.exporting.value_kinds import BY_TOKEN
from tasks.evaluation.json_lines import JsonObject, JsonValue

Plain = str | int | float | bool | None
# How far `fields` may be taken apart: all the way, or not at all. In between, a value that is nested becomes JSON.
DEEPEST = 8


def flatten_record(record: JsonObject, fields_depth: int = DEEPEST) -> dict[str, Plain]:
    """Return the record's values by their names, the question's parts beside its text.

    Args:
        record: a question's record.
        fields_depth: how many levels of `fields` have names of their own; 0: it is one value, `fields`.
    """
    row: dict[str, Plain] = {}
    for name, value in record.items():
        if name == "fields" and isinstance(value, dict):
            row |= flatten_fields(value, fields_depth)
        elif name == "repeats" and isinstance(value, list):
            _flatten(row, "repeat", {str(number): each for number, each in enumerate(value, start=1)}, DEEPEST)
        else:
            _flatten(row, name, value, DEEPEST)
    parts = part_record(record)
    if parts.choices:
        row["stem"] = parts.stem
        row.update({f"choice.{label}": text for label, text in parts.choices.items()})
    return row


def flatten_fields(fields: Mapping[str, JsonValue], depth: int) -> dict[str, Plain]:
    """Return a record's `fields` by their names, taken apart to this depth."""
    row: dict[str, Plain] = {}
    _flatten(row, "field" if depth else "fields", dict(fields), depth)
    return row


def _flatten(row: dict[str, Plain], name: str, value: JsonValue, depth: int) -> None:
    """Add the value to the row: what it holds by names of its own, down to the depth."""
    if not isinstance(value, dict | list):
        row[name] = value
    elif depth and isinstance(value, dict) and name.rpartition(".")[2] not in BY_TOKEN:
        for key, each in value.items():
            _flatten(row, f"{name}.{key}", each, depth - 1)
    else:
        row[name] = json.dumps(value, ensure_ascii=False) if value else None
