"""JSON values, and records as lines of JSON: the form in which everything is stored."""

import json
from collections.abc import Mapping

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


JsonObject = dict[str, JsonValue]


def to_line(record: Mapping[str, object]) -> bytes:
    """Return the record as one line of JSON, UTF-8, without a line break."""
    try:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair has no UTF-8 form; as an escape it has a JSON one.
        return json.dumps(record, separators=(",", ":")).encode()


def from_line(line: bytes) -> JsonObject:
    """Return the record of a line that `to_line` made.

    Raises:
        ValueError: the line is not a JSON object.
    """
    try:
        record = json.loads(line)
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError("the line holds no JSON object")  # noqa: TRY004 - the same error as for a line that is not JSON
    return record
