"""Records as flat rows: a name for each value, however deep it lies.

    evaluation.score     a member of a nested object
    choice.A             a choice of the question, by its label
    field.subject        a member of the record's `fields`
    repeat.2.score       a member of the second of several repeats

A value is a text, a number, a boolean or None; a list is its JSON, and so are token probabilities, whose names differ from
question to question.
"""

import json
from collections.abc import Iterator, Mapping

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
            row.update(flatten_fields(value, fields_depth))
        elif name == "repeats" and isinstance(value, list):
            row.update(_flatten("repeat", {str(number): each for number, each in enumerate(value, start=1)}, DEEPEST))
        else:
            row.update(_flatten(name, value, DEEPEST))
    parts = part_record(record)
    if parts.choices:
        row["stem"] = parts.stem
        row.update({f"choice.{label}": text for label, text in parts.choices.items()})
    return row


def flatten_fields(fields: Mapping[str, JsonValue], depth: int) -> dict[str, Plain]:
    """Return a record's `fields` by their names, taken apart to this depth."""
    return dict(_flatten("field" if depth else "fields", dict(fields), depth))


def _flatten(name: str, value: JsonValue, depth: int) -> Iterator[tuple[str, Plain]]:
    is_taken_apart = depth > 0 and isinstance(value, dict) and name.rpartition(".")[2] not in BY_TOKEN
    if is_taken_apart and isinstance(value, dict):
        for key, each in value.items():
            yield from _flatten(f"{name}.{key}", each, depth - 1)
    elif isinstance(value, dict | list):
        yield name, json.dumps(value, ensure_ascii=False) if value else None
    else:
        yield name, value
