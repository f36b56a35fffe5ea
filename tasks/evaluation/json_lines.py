"""JSON values, and records as lines of JSON: the form in which everything is stored."""

import json
from collections.abc import Mapping

import orjson

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


JsonObject = dict[str, JsonValue]

# Made once: with such arguments, `json.dumps` makes one for each record. orjson writes small floats in another form.
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

# orjson reads an integer beyond 64 bits as a float. Every such number has at least this many digits in a row.
_LONG_NUMBER = b"0" * 19
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def to_line(record: Mapping[str, object]) -> bytes:
    """Return the record as one line of JSON, UTF-8, without a line break."""
    try:
        return ENCODER.encode(record).encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair has no UTF-8 form; as an escape it has a JSON one.
        return json.dumps(record, separators=(",", ":")).encode()


def from_line(line: bytes) -> JsonObject:
    """Return the record of a line that `to_line` made.

    Raises:
        ValueError: the line is not a JSON object.
    """
    record = _read(line)
    if not isinstance(record, dict):
        raise ValueError("the line holds no JSON object")  # noqa: TRY004 - the same error as for a line that is not JSON
    return record


def _read(line: bytes) -> JsonValue:
    """Return the line's value as the standard library reads it, and by it where orjson would read another or none."""
    value: JsonValue
    if _LONG_NUMBER not in line.translate(_DIGITS_AS_ZEROS):
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            pass  # NaN, infinity, half of a surrogate pair: beyond the standard; or it is no JSON at all
        else:
            return value
    try:
        value = json.loads(line.decode())  # given bytes, it would guess at their encoding
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    return value
