"""Marks: characters that stand for choices where a reply mentions them.

Marks are in three ranges of Unicode's private use area, each at the choice's 0-based position: from LABEL on for a mention by
label or ordinal, from TEXT on for one by text alone, from LISTED on for a choice that begins a line of a list.
"""

import re

LABEL, TEXT, LISTED, END = 0xE000, 0xE100, 0xE200, 0xE300
NAMED, QUOTED = f"[{chr(LABEL)}-{chr(TEXT - 1)}]", f"[{chr(TEXT)}-{chr(LISTED - 1)}]"
# What stands in place of a list of choices that only echoes the question.
ECHO = "\f"
MARKS = f"{chr(LABEL)}-{chr(END - 1)}"
ANY_MARK = re.compile(f"[{MARKS}]")


def read_marks(text: str) -> list[int]:
    """Return the choices that the marks in a text stand for, as positions in the question, each once and in order."""
    return sorted({(ord(mark) - LABEL) % (TEXT - LABEL) for mark in ANY_MARK.findall(text)})


def find_surroundings(text: str, sign: re.Pattern[str], reach: int) -> list[tuple[int, int]]:
    """Return the parts of the text, as start and end, that lie within `reach` characters of a match of the sign."""
    parts: list[tuple[int, int]] = []
    for match in sign.finditer(text):
        start, end = max(0, match.start() - reach), min(len(text), match.end() + reach)
        if parts and start <= parts[-1][1]:
            start, _ = parts.pop()
        parts.append((start, end))
    return parts
