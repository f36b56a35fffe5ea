"""The records in a JSON document that is one object: a list under some key, a column under each, or an object under each.

A list is read as it streams. A document without one is held in memory: columns, or an object for each question.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.columns import QUESTION_NAMES
from tasks.evaluation.storage.json_stream import read_object

STREAMED = "questions"
EXPECTED = "a list was expected, or an object with a list `questions`"


def read_document(source: TextIO, notes: list[str]) -> Iterator[JsonValue]:
    """Yield the records of the document; add to the notes where they were found, unless it is under `questions`.

    Raises:
        DamagedFile: it is not such a document, or several lists in it may be the questions.
    """
    found = _find_list(source)
    source.seek(0)
    if found is not None:
        yield from _read_list(source, found, notes)
        return
    others: JsonObject = {}
    count = 0
    for key, value in read_object(source, streamed=STREAMED):
        if key != STREAMED or (isinstance(value, dict) and _holds_others(value)):
            others[key] = value
            continue
        if not count and not isinstance(value, dict):
            raise DamagedFile(f"under `{STREAMED}` a list of objects was expected, and it holds {value!r:.40}")
        count += 1
        yield value
    if not count:
        yield from _find_records(others, notes)


def _find_list(source: TextIO) -> str | None:
    """Return the key of the one list of objects that can be the questions; None if there is not one.

    One pass over the document, which holds an element of each list at a time.
    """
    firsts: dict[str, JsonValue] = {}
    of_objects: dict[str, bool] = {}
    counts: Counter[str] = Counter()
    for key, value in read_object(source, streamed=None):
        if key == STREAMED and isinstance(value, dict) and not _holds_others(value):
            return key
        firsts.setdefault(key, value)
        of_objects[key] = of_objects.get(key, True) and isinstance(value, dict)
        counts[key] += 1
    lists = [key for key in firsts if of_objects[key]]
    likely = [key for key in lists if _has_question(firsts[key])] or lists
    # A key that came once may hold an object as well as a list of one.
    return likely[0] if len(likely) == 1 and counts[likely[0]] > 1 else None


def _read_list(source: TextIO, key: str, notes: list[str]) -> Iterator[JsonValue]:
    if key != STREAMED:
        notes.append(f"the questions are read from its list {key!r}")
    for name, value in read_object(source, streamed=key):
        if name == key:
            yield _unwrap(value)


def holds_records(document: JsonObject) -> bool:
    """Return True if the object is not an entry itself, but holds entries."""
    if any(name in map(str.lower, document) for name in QUESTION_NAMES) and not _is_columns(document):
        return False
    if document and all(map(_has_question, document.values())):
        return True
    return _is_columns(document) or any(_is_list_of_objects(value) for value in document.values())


def _find_records(document: JsonObject, notes: list[str]) -> Iterator[JsonValue]:
    lists = {key: value for key, value in document.items() if isinstance(value, list) and _is_list_of_objects(value)}
    likely = {key: value for key, value in lists.items() if _has_question(value[0])} or lists
    if len(likely) > 1:
        raise DamagedFile(f"{EXPECTED}, and this object holds several: {', '.join(map(repr, likely))}; keep one of them")
    for key, records in likely.items():
        notes.append(f"the questions are read from its list {key!r}")
        yield from (_unwrap(record) for record in records)
    if likely:
        return
    if _has_question(document) and not _is_columns(document):
        yield document
    elif _is_columns(document):
        notes.append("it holds columns instead of records, and is read column by column")
        yield from _turn(document)
    elif document and all(isinstance(value, dict) for value in document.values()):
        nested = next(iter(document.values())) if len(document) == 1 else {}
        if isinstance(nested, dict) and (holds_records(nested) or _holds_others(nested)):
            yield from _find_records(nested, notes)
            return
        notes.append("its questions are read from one object for each, whose keys are not used")
        yield from document.values()
    else:
        held = ", ".join(map(repr, list(document)[:5])) or "nothing"
        raise DamagedFile(f"{EXPECTED}, and this object holds {held}")


def _is_list_of_objects(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _holds_others(value: JsonObject) -> bool:
    """Return True if an object is not a record, but holds columns or nothing but objects."""
    return _is_columns(value) or (bool(value) and all(isinstance(each, dict) for each in value.values()))


def _has_question(record: JsonValue) -> bool:
    """Return True if the record has a field with a usual name for the question, perhaps within `row`."""
    record = _unwrap(record)
    return isinstance(record, dict) and any(name.lower() in QUESTION_NAMES for name in record)


def _unwrap(record: JsonValue) -> JsonValue:
    """Return the record itself if it is in `row`, beside its number, as the Hugging Face viewer returns it."""
    row = record.get("row") if isinstance(record, dict) else None
    return row if isinstance(row, dict) and isinstance(record, dict) and "question" not in record else record


def _is_columns(document: JsonObject) -> bool:
    """Return True if the object holds at least two columns of one length, the questions among them."""
    named = [value for key, value in document.items() if key.lower() in QUESTION_NAMES]
    if not named or len(document) < 2:
        return False
    cells = list(named[0].values() if isinstance(named[0], dict) else named[0]) if isinstance(named[0], list | dict) else []
    lengths = {len(value) if isinstance(value, list | dict) else 0 for value in document.values()}
    return bool(cells) and all(isinstance(cell, str) for cell in cells) and len(lengths) == 1


def _turn(columns: JsonObject) -> Iterator[JsonObject]:
    """Yield the records of columns, each a list or an object from row names to cells."""
    lists = [list(column.values()) if isinstance(column, dict) else column for column in columns.values()]
    cells: list[list[JsonValue]] = [column for column in lists if isinstance(column, list)]
    for row in zip(*cells, strict=True):
        yield dict(zip(columns, row, strict=True))
