"""Answers of several parts: sets without order, tuples and intervals with their order and their brackets.

"1, 2" and "{2, 1}" are the same set, and so are "±1" and "-1, 1". "(1, 2)" is a different pair from "(2, 1)", and a different
interval from "(1, 2]".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tasks.evaluation.extraction.wording import WORDS

# A comma before three digits belongs to a number.
SEPARATOR = re.compile(r"\s*(?:,\s*(?:and|or)\b|,(?!\d{3}(?!\d))|;|\n|(?<=\s)&(?=\s)|\band\b|\bor\b)\s*", re.IGNORECASE)
OPENING, CLOSING = "([{<", ")]}>"
UNION = re.compile(r"\s*∪\s*")
# More parts than anyone writes are not compared, because each would have to be compared with every other.
MOST_PARTS = 100
OR = re.compile(r"\bor\b", re.IGNORECASE)
NUMERIC = re.compile(r"[\d=π∞±]")


@dataclass(frozen=True)
class Parts:
    """An answer's parts."""

    items: tuple[str, ...]
    """The parts in their order."""
    brackets: str
    """The brackets around the whole answer; empty without brackets."""
    is_ordered: bool
    """True for a tuple, an interval or a vector."""


@lru_cache(maxsize=256)  # the readings of one answer meet the same reference
def split_parts(text: str) -> Parts | None:
    """Return the parts of an answer in plain notation (notation.py); None if it has only one part."""
    text = text.strip(" .")
    intervals = UNION.split(text)
    if len(intervals) > 1:
        return Parts(tuple(intervals), "∪", is_ordered=False)
    is_matrix = text.startswith("matrix[")
    inner = text[6:] if is_matrix else text
    brackets = inner[0] + inner[-1] if _is_enclosed(inner) else ""
    items = [item for item in _split(inner[1:-1] if brackets else inner) if item]
    if not brackets and len(items) == 1 and items[0].count("±") == 1:
        items = [items[0].replace("±", sign) for sign in "+-"]
    if len(items) < 2 or len(items) > MOST_PARTS or (OR.search(text) and not all(map(NUMERIC.search, items))):
        return None
    return Parts(tuple(items), "matrix" if is_matrix else brackets, is_ordered=brackets not in ("", "{}"))


def are_same_parts(given: Parts, expected: Parts, is_same: Callable[[str, str], bool]) -> bool:
    """Return True if the parts are the same, in the same order if order counts, between brackets of the same kind."""
    if len(given.items) != len(expected.items) or not _are_same_brackets(given, expected):
        return False
    if expected.is_ordered or (given.is_ordered and not _is_array(given)):
        return all(map(is_same, given.items, expected.items))
    left = list(given.items)
    for item in expected.items:
        found = next((each for each in left if is_same(each, item)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _are_same_brackets(given: Parts, expected: Parts) -> bool:
    """Return True if the brackets are of the same kind; a set, or a list of words, needs none."""
    if given.brackets == expected.brackets:
        return True
    return {given.brackets, expected.brackets} <= {"", "{}"} or (not expected.brackets and _is_array(given))


def _is_array(parts: Parts) -> bool:
    """Return True for a printed list of words, or of more numbers than an interval has."""
    return parts.brackets == "[]" and (len(parts.items) > 2 or all(map(WORDS.fullmatch, parts.items)))


def _is_enclosed(text: str) -> bool:
    """Return True if the first bracket closes at the end; an interval's kinds may differ."""
    if len(text) < 2 or text[0] not in OPENING[:3] or text[-1] not in CLOSING[:3]:
        return False
    if (text[0] == "{") != (text[-1] == "}"):
        return False
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return place == len(text) - 1
    return False


def _split(text: str) -> Sequence[str]:
    """Split at the separators outside brackets."""
    if not any(bracket in text for bracket in "([{"):
        return SEPARATOR.split(text)
    items, depth, start = list[str](), 0, 0
    depths = list[int]()
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        depths.append(depth)
    for match in SEPARATOR.finditer(text):
        if match.end() > match.start() and depths[match.start()] == 0:
            items.append(text[start : match.start()].strip())
            start = match.end()
    return [*items, text[start:].strip()]
