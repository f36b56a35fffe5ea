"""JSON objects in a text, as language models write them.

Read beyond the standard: raw line breaks, unescaped backslashes and unescaped quotes in strings, single and typographic quotes,
keys without quotes, comments, a trailing or missing comma, `True` and `None`. Nothing is completed: an object that is cut, or
that has a value like `0 or 1`, cannot be read. Tried and dropped: json-repair, which reads `{"score": 0 or 1}` and a cut
`{"score": 0.` as 0; json5, hjson and YAML, which invent nothing, but read no unescaped quotes.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject, JsonValue

# Deeper nesting holds nothing that is looked for, and must not exhaust the stack.
MOST_DEPTH = 20
# A reply that repeats the beginning of an object for ever would take seconds.
MOST_UNREADABLE = 200
SPACE = r"(?>\s++|//[^\n]*+|\#[^\n]*+|/\*(?:(?!\*/)[\s\S])*+\*/)*+"
QUOTED_KEY = r"[\"'“‘][^\"'“”‘’\n{}:]{1,60}[\"'”’]"
ENTRY = rf"(?:{QUOTED_KEY}|[A-Za-z_]\w{{0,59}}){SPACE}:"
# What may follow a string in an object or an array. A quote before anything else is a part of the string.
AFTER_STRING = rf"(?={SPACE}(?:[}}\]]|,{SPACE}(?:[}}\]]|{ENTRY})|{QUOTED_KEY}{SPACE}:))"
AFTER_ITEM = rf"(?={SPACE}[,\]])"
CLOSING_QUOTES = {'"': '["”]', "'": "['’]", "“": '["”]', "‘": "['’]"}

SPACES = re.compile(SPACE)
OBJECT_START = re.compile(rf"\{{(?={SPACE}{ENTRY})")
KEY = re.compile(ENTRY)
LITERAL = re.compile(r"[-+.\w]++")
NUMBER = re.compile(r"[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+", re.ASCII)
CONSTANTS: dict[str, JsonValue] = {"true": True, "false": False, "null": None, "none": None}
STRING_ENDS = {
    (quote, is_item): re.compile(rf"(?<!\\)(?:\\\\)*+{closing}{AFTER_ITEM if is_item else AFTER_STRING}")
    for quote, closing in CLOSING_QUOTES.items()
    for is_item in (False, True)
}


@dataclass(frozen=True)
class FoundObject:
    """An object in a text.

    Attributes:
        start: where its opening brace is.
        text: the object as it is written; up to the text's end where no brace closes it.
        fields: the values by the keys as `name_field` gives them; None when the object cannot be read.
    """

    start: int
    text: str
    fields: JsonObject | None


def find_objects(text: str) -> Iterator[FoundObject]:
    """Yield the objects in the text that lie in no other, in their order; sets and formulas in braces are no objects.

    Behind too many that cannot be read, the rest of the text counts as one of them.
    """
    end = unreadable = 0
    while start := OBJECT_START.search(text, end):
        try:
            fields, end = _read_object(text, start.start())
        except ValueError:
            unreadable += 1
            fields, end = None, _find_closing_brace(text, start.start()) if unreadable < MOST_UNREADABLE else len(text)
        yield FoundObject(start.start(), text[start.start() : end], fields)


def name_field(key: str) -> str:
    """Return the key in lower case, without spaces, hyphens and underscores: "modelchoice" for "Model_Choice"."""
    return re.sub(r"[\W_]", "", key).casefold()


def _read_object(text: str, start: int) -> tuple[JsonObject, int]:
    """Return the object's fields and where it ends.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        value, end = json.JSONDecoder(object_pairs_hook=_join).raw_decode(text, start)
    except (ValueError, RecursionError):
        return _read_loosely(text, start, 0)
    return value, end


def _read_loosely(text: str, start: int, depth: int) -> tuple[JsonObject, int]:
    entries: list[tuple[str, JsonValue]] = []
    position = _skip_space(text, start + 1)
    while not text.startswith("}", position):
        key = KEY.match(text, position)
        if not key:
            raise ValueError("no key")
        value, position = _read_value(text, _skip_space(text, key.end()), depth, is_item=False)
        entries.append((key[0], value))
        position = _skip_comma(text, position)
    return _join(entries), position + 1


def _read_array(text: str, start: int, depth: int) -> tuple[list[JsonValue], int]:
    items: list[JsonValue] = []
    position = _skip_space(text, start + 1)
    while not text.startswith("]", position):
        item, position = _read_value(text, position, depth, is_item=True)
        items.append(item)
        position = _skip_comma(text, position)
    return items, position + 1


def _read_value(text: str, start: int, depth: int, *, is_item: bool) -> tuple[JsonValue, int]:
    opening = text[start : start + 1]
    if opening in CLOSING_QUOTES:
        end = STRING_ENDS[opening, is_item].search(text, start + 1)
        if not end:
            raise ValueError("a string does not end")
        return _unescape(text[start + 1 : end.end() - 1]), end.end()
    if opening in ("{", "["):
        if depth == MOST_DEPTH:
            raise ValueError("nested too deeply")
        read = _read_loosely if opening == "{" else _read_array
        return read(text, start, depth + 1)
    literal = LITERAL.match(text, start)
    if not literal:
        raise ValueError("no value")
    return _read_literal(literal[0]), literal.end()


def _read_literal(literal: str) -> JsonValue:
    if literal.lower() in CONSTANTS:
        return CONSTANTS[literal.lower()]
    if not NUMBER.fullmatch(literal):
        raise ValueError("no literal")
    try:
        number = json.loads(literal)
    except ValueError:  # .5, 1. and +1 are Python's
        return float(literal)
    assert isinstance(number, int | float)
    return number


def _unescape(text: str) -> str:
    """Return the string's text; where a backslash is not JSON's (LaTeX), each stands for itself, but before a quote."""
    try:
        value = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return re.sub(r"\\([\"'])", r"\1", text)
    assert isinstance(value, str)
    return value


def _join(entries: Iterable[tuple[str, JsonValue]]) -> JsonObject:
    """Return the entries by their names; one that is there twice with different values is None."""
    fields: JsonObject = {}
    for key, value in entries:
        name = name_field(key)
        fields[name] = value if fields.get(name, value) == value else None
    return fields


def _skip_space(text: str, position: int) -> int:
    spaces = SPACES.match(text, position)
    return spaces.end() if spaces else position


def _skip_comma(text: str, position: int) -> int:
    """Return where the next entry or the closing bracket is: behind a comma, and behind space alone where one is missing."""
    position = _skip_space(text, position)
    return _skip_space(text, position + 1) if text.startswith(",", position) else position


def _find_closing_brace(text: str, start: int) -> int:
    """Return where the object that begins at `start` ends, by its braces alone; the text's end where none closes it."""
    depth = 0
    for brace in re.finditer(r"[{}]", text[start:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return start + brace.end()
    return len(text)
