"""JSON objects in a text, as language models write them.

Read beyond the standard: raw line breaks, unescaped backslashes and unescaped quotes in strings, single and typographic quotes,
keys without quotes, comments, a trailing or missing comma, a semicolon, full-width signs, invisible characters, `True` and
`None`. No value is completed: an object that is cut within one, or that has a value like `0 or 1`, cannot be read. Only the
last brace may be missing, at the text's end or with a bracket in its place. Tried and dropped: json-repair, which reads
`{"score": 0 or 1}` and a cut `{"score": 0.` as 0; json5, hjson and YAML, which invent nothing, but read no unescaped quotes.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from tasks.evaluation.json_lines import JsonObject, JsonValue

# Deeper nesting holds nothing of interest, and must not exhaust the stack.
MOST_DEPTH = 20
# A reply that keeps repeating the beginning of an object would take seconds.
MOST_UNREADABLE = 200
INVISIBLE = r"\u200b-\u200f\u2060\ufeff"
OPEN, CLOSE, COLON, COMMA = "{｛", ("}", "｝"), "[:：]", "[,，;；]"
COMMAS = tuple(",，;；")
# Atomic as a whole: a possessive repeat within it fails on a comment in Python 3.11.2.
SPACE = rf"(?>(?:[\s{INVISIBLE}]+|//[^\n]*|\#[^\n]*|/\*[\s\S]*?\*/)*)"
QUOTED_KEY = r"[\"'“‘„«「＂][^\"'“”‘’„«»「」＂\n{}:]{1,60}[\"'“”’»」＂]"
ENTRY = rf"(?:{QUOTED_KEY}|[A-Za-z_]\w{{0,59}}){SPACE}{COLON}"
# What may follow a string in an object or an array. A quote before anything else is a part of the string.
ENDING = rf"[`\s{INVISIBLE}]*+\Z"
AFTER_STRING = (
    rf"(?={SPACE}(?:[}}｝\]]|,{SPACE}(?:[}}\]]|{ENTRY})|{COMMA}{SPACE}{QUOTED_KEY}{SPACE}{COLON}"
    rf"|{QUOTED_KEY}{SPACE}{COLON}|{ENDING}))"
)
AFTER_ITEM = rf"(?={SPACE}[,\]])"
CLOSING_QUOTES = {'"': '["”]', "'": "['’]", "“": '["”]', "‘": "['’]", "„": "[“”]", "«": "»", "「": "」", "＂": "＂"}
VALUE_ENDS = "]}｝\"'”’“»」＂"

SPACES = re.compile(SPACE)
OBJECT_START = re.compile(rf"[{OPEN}](?={SPACE}{ENTRY})")
END = re.compile(ENDING)
KEY = re.compile(ENTRY)
ESCAPED_OBJECT = re.compile(r'\{(?:\s|\\n)*\\"')
LITERAL = re.compile(r"[-+.\w]++")
NUMBER = re.compile(r"[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+", re.ASCII)
CONSTANTS: dict[str, JsonValue] = {"true": True, "false": False, "null": None, "none": None}


@cache
def find_string_end(quote: str, *, is_item: bool) -> re.Pattern[str]:
    """Return what ends a string that begins with this quote, as an array's item or in an object."""
    return re.compile(rf"(?<!\\)(?:\\\\)*+{CLOSING_QUOTES[quote]}{AFTER_ITEM if is_item else AFTER_STRING}")


@dataclass(frozen=True)
class FoundObject:
    """An object in a text.

    Attributes:
        start: the position of its opening brace.
        text: the object as written; up to the end of the text if no brace closes it.
        fields: the values by key, with keys as `name_field` returns them; None if the object cannot be read.
    """

    start: int
    text: str
    fields: JsonObject | None


def find_objects(text: str) -> Iterator[FoundObject]:
    """Yield the outermost objects in the text, in order; sets and formulas in braces are not objects.

    After too many objects that cannot be read, the rest of the text counts as one of these.
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


def decode_objects(text: str) -> str:
    """Return the text, its objects without the escapes of a JSON string where they are written as one."""
    escaped = ESCAPED_OBJECT.search(text)
    if not escaped or OBJECT_START.search(text):
        return text
    start, end = escaped.start(), text.rfind("}") + 1
    return text[:start] + _unescape(text[start:end]) + text[end:]


def _read_object(text: str, start: int) -> tuple[JsonObject, int]:
    """Return the object's fields and the position where it ends.

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
    while not text.startswith(CLOSE, position):
        if depth == 0 and entries and _is_left_open(text, position):
            return _join(entries), position
        key = KEY.match(text, position)
        if not key:
            raise ValueError("no key")
        value, position = _read_value(text, _skip_space(text, key.end()), depth, is_item=False)
        entries.append((key[0], value))
        position = _skip_comma(text, position)
    return _join(entries), position + 1


def _is_left_open(text: str, position: int) -> bool:
    """Return True if the object's own brace is missing before `position`, and nothing else is: its last value is whole."""
    if text.startswith("]", position):
        return True
    if not END.match(text, position):
        return False
    value_end = len(text[:position].rstrip())
    # A number may be cut, unless something follows it.
    is_number_whole = text[value_end - 1].isalnum() and (value_end < position or text.startswith("`", position))
    return text[value_end - 1] in VALUE_ENDS or is_number_whole


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
        end = find_string_end(opening, is_item=is_item).search(text, start + 1)
        if not end:
            raise ValueError("a string does not end")
        return _unescape(text[start + 1 : end.end() - 1]), end.end()
    if opening and opening in OPEN + "[":
        if depth == MOST_DEPTH:
            raise ValueError("nested too deeply")
        read = _read_array if opening == "[" else _read_loosely
        return read(text, start, depth + 1)
    literal = LITERAL.match(text, start)
    if not literal:
        raise ValueError("no value")
    return _read_literal(unicodedata.normalize("NFKC", literal[0])), literal.end()


def _read_literal(literal: str) -> JsonValue:
    if literal.lower() in CONSTANTS:
        return CONSTANTS[literal.lower()]
    if not NUMBER.fullmatch(literal):
        raise ValueError("no literal")
    try:
        number = json.loads(literal)
    except ValueError:  # .5, 1. and +1 are numbers in Python, not in JSON
        return float(literal)
    assert isinstance(number, int | float)
    return number


def _unescape(text: str) -> str:
    """Return the string's text. If a backslash is not JSON's (LaTeX), all stand for themselves, except before a quote."""
    try:
        value = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return re.sub(r"\\([\"'])", r"\1", text)
    assert isinstance(value, str)
    return value


def _join(entries: Iterable[tuple[str, JsonValue]]) -> JsonObject:
    """Return the entries by name; a name with several different values is None."""
    fields: JsonObject = {}
    for key, value in entries:
        name = name_field(key)
        fields[name] = value if fields.get(name, value) == value else None
    return fields


def _skip_space(text: str, position: int) -> int:
    spaces = SPACES.match(text, position)
    return spaces.end() if spaces else position


def _skip_comma(text: str, position: int) -> int:
    """Return where the next entry or the closing bracket is: after a comma, or after space alone if the comma is missing."""
    position = _skip_space(text, position)
    return _skip_space(text, position + 1) if text.startswith(COMMAS, position) else position


def _find_closing_brace(text: str, start: int) -> int:
    """Return where the object that begins at `start` ends, going by braces alone; the text's end if no brace closes it."""
    depth = 0
    for brace in re.finditer(r"[{｛}｝]", text[start:]):
        depth += 1 if brace[0] in OPEN else -1
        if depth == 0:
            return start + brace.end()
    return len(text)
