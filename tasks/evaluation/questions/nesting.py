"""Entries within other objects: under a section, a passage or a row's number."""

from collections.abc import Callable, Iterator, Mapping

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.columns import Columns, read_field

FindColumns = Callable[[tuple[str, ...]], Columns]

# SQuAD has an article's paragraphs, and their questions.
DEEPEST = 4


def unfold(record: JsonValue, fields: Fields, find_columns: FindColumns, depth: int = 0) -> Iterator[JsonValue]:
    """Yield the entries that a record holds: itself if it has a question, else those within it.

    A nested entry takes over the fields around it, such as a passage or a section's name, unless it has its own. A row that is
    a list takes the names of `fields.columns`. A record that holds no entry is yielded as it is.
    """
    if isinstance(record, list) and fields.columns and len(record) == len(fields.columns):
        record = dict(zip(fields.columns, record, strict=True))
    if not isinstance(record, dict) or fields.question or depth == DEEPEST:
        yield record
        return
    name = find_columns(tuple(record)).question
    question = read_field(record, name)
    if name and isinstance(question, dict):
        yield {**{key: value for key, value in record.items() if key != name}, **question}
    elif name and isinstance(question, list) and _are_columns(record, len(question)):
        yield from ({key: value[row] for key, value in record.items()} for row in range(len(question)))  # type: ignore[index]
    elif name:
        yield record
    else:
        yield from _unfold_within(record, fields, find_columns, depth)


def _are_columns(record: Mapping[str, JsonValue], rows: int) -> bool:
    return len(record) > 1 and all(isinstance(value, list) and len(value) == rows for value in record.values())


def _unfold_within(record: JsonObject, fields: Fields, find_columns: FindColumns, depth: int) -> Iterator[JsonValue]:
    around = {key: value for key, value in record.items() if not isinstance(value, dict | list)}
    is_found = False
    for value in record.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict):
                for entry in unfold(child, fields, find_columns, depth + 1):
                    if isinstance(entry, dict) and find_columns(tuple(entry)).question:
                        is_found = True
                        yield {**around, **entry}
    if not is_found:
        yield record
