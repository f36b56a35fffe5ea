"""The lines in which results are kept: each with its number in the selection, and the question's fields as the file has them.

A result that an earlier file holds is copied as it stands there, and neither parsed again nor written again.
"""

import re

from tasks.evaluation.json_lines import JsonObject, to_line

FIELDS = "fields"
NUMBER = re.compile(rb'\{"question_id":\d+,')


def place_result(result: JsonObject, line: bytes | None, number: int, fields: JsonObject) -> bytes:
    """Return the line of a question's result.

    Args:
        result: the result, with any number and any fields.
        line: the line of a file that holds it; None if it comes from no file.
        number: the question's number, from 1.
        fields: the question's other fields; empty if it has none.
    """
    beginning = b'{"question_id":%d,' % number
    if line and not fields and FIELDS not in result and line.startswith(beginning) and line.endswith(b"}"):
        return line
    rest = _find_rest(result, line, fields) if line else None
    if rest:
        return beginning + rest
    record = {**result, "question_id": number}
    record.pop(FIELDS, None)  # those of a reused record are from the file as it was then
    return to_line(record | {FIELDS: fields} if fields else record)


def _find_rest(result: JsonObject, line: bytes, fields: JsonObject) -> bytes | None:
    """Return what follows the number in the line, with these fields; None if the line was not written as ours are."""
    found = NUMBER.match(line)
    if not found or not line.endswith(b"}"):
        return None
    ending = b',"fields":' + to_line(fields) + b"}" if fields else b"}"
    if FIELDS not in result:
        return line[found.end() : -1] + ending
    return line[found.end() :] if fields and line.endswith(ending) else None
