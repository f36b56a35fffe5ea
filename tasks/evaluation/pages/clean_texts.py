"""Texts from questions and models, as a page can hold and show them.

A page is UTF-8, so half a surrogate pair has no place in it. A control character has no picture of its own, and the page's
blocks use two of them as separators (`blocks`): each is shown as the sign that Unicode has for it, a NUL as ␀. Signs that
change the direction of writing stay, since some languages need them; the page isolates every text instead.
"""

import re

REPLACEMENT = "\ufffd"
SIGNS = 0x2400  # where Unicode's pictures of control characters begin
DELETE, DELETE_SIGN = 0x7F, 0x2421
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
LINE_END = re.compile("\r\n?")


def clean_text(text: str) -> str:
    """Return the text with line ends as line feeds, and with a visible sign for each other character that none can see."""
    return UNSAFE.sub(_show, LINE_END.sub("\n", text)) if UNSAFE.search(text) else text


def _show(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < ord(" "):
        return chr(SIGNS + code)
    return chr(DELETE_SIGN) if code == DELETE else REPLACEMENT
