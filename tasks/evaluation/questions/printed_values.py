"""Values of fields as text and as JSON, and lists that tables hold as text: as JSON, Python, numpy or pandas write them."""

import ast
import json
import re
from math import isfinite

from tasks.evaluation.json_lines import JsonValue

# A text as Python writes it, and a second one right after it, as numpy writes them: ['x' 'y'].
STRING_THEN_STRING = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(\s+(?=['"]))?""", re.DOTALL)
ARRAY = re.compile(r"\b(?:np\.|numpy\.)?array\((?=[\[(])")
ARRAY_END = re.compile(r"(?<=[\])])(?:,\s*dtype=[\w.'<>|]+)?\s*\)(?=\s*[,}\])]|\s*$)")
NUMBERS = re.compile(r"\[\s*(-?[\d.]+(?:\s+-?[\d.]+)+)\s*\]")


def as_text(value: JsonValue) -> str:
    """Return a field as text: a number or a date as it is written, a truth value as true or false; empty for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, list | tuple | dict | bytes) or (isinstance(value, float) and not isfinite(value)):
        return ""
    return str(value)


def make_plain(value: object) -> JsonValue:
    """Return the value as JSON holds it: dates and the like as text, without bytes and NaN."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        return [make_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): make_plain(each) for key, each in value.items()}
    return None if isinstance(value, bytes) else str(value)


def parse_text(value: JsonValue) -> JsonValue:
    """Return the list or object that a text holds; any other value is returned as it is."""
    if not isinstance(value, str) or not (value.lstrip()[:1] in ("[", "{") or ARRAY.match(value.lstrip())):
        return value
    text = value.strip()
    for parse in (json.loads, _parse_numpy, ast.literal_eval):
        try:
            parsed: JsonValue = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list | dict):
            return parsed
    return value


def _parse_numpy(text: str) -> JsonValue:
    """Return what numpy or pandas printed: arrays of texts or numbers with spaces between them, `array([...], dtype=object)`.

    Python would read `['x' 'y']` as the one text `xy`.

    Raises:
        ValueError, SyntaxError: it is not such a text.
    """
    plain = STRING_THEN_STRING.sub("''", text)
    if ARRAY.search(plain):
        text = ARRAY_END.sub("", ARRAY.sub("", text))
    elif "'' ''" not in re.sub(r"\s+", " ", STRING_THEN_STRING.sub(_keep_gap, text)) and not NUMBERS.search(plain):
        raise ValueError("nothing of it is numpy's")
    text = STRING_THEN_STRING.sub(lambda match: match[1] + (", " if match[2] else ""), text)
    value: JsonValue = ast.literal_eval(NUMBERS.sub(lambda match: "[" + ", ".join(match[1].split()) + "]", text))
    return value


def _keep_gap(match: re.Match[str]) -> str:
    return "''" + (match[2] or "")
