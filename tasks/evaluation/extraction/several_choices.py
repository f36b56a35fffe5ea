"""A reply that may choose several: lists in lines, "A/C", "all of the above", "all except B"."""

import re

from tasks.evaluation.extraction.decision_patterns import JOINT, WHOLE
from tasks.evaluation.extraction.marks import ANY_MARK, LABEL, MARKS, read_marks

# An answer of several choices, each on a line of its own, and with a slash between them.
LINES = re.compile(
    rf"(\banswers?:)((?:\s{{1,4}}[^\w\s{MARKS}]?[ \t]{{0,3}}[{MARKS}][^\w\n{MARKS}]{{0,5}}$){{2,26}})",
    re.IGNORECASE | re.MULTILINE,
)
SLASH = re.compile(rf"(?<=[{MARKS}]) ?/ ?(?=[{MARKS}])")
# "All of the above", "all except B".
ABOVE = r"(?: of)?(?: (?:the |these )?(?:above|options|choices|answers)| them| these)"
ALL = re.compile(
    rf"\b(?:all|everything)(?:{ABOVE}(?!,? (?:except|but|other))|(?:{ABOVE})?,? (?:except|but"
    rf"|other than)(?: for)? (?P<excepted>[{MARKS}](?:{JOINT}[{MARKS}]){{0,25}}))",
    re.IGNORECASE,
)


def join_several(marked: str, count: int) -> str:
    """Return the text with the marks of all choices for "all of the above", and of all others for "all except C".

    Commas join the choices of an answer in several lines, or with slashes.
    """

    def mark(match: re.Match[str]) -> str:
        excepted = read_marks(match["excepted"] or "")
        return ", ".join(chr(LABEL + place) for place in range(count) if place not in excepted)

    marked = SLASH.sub(", ", LINES.sub(lambda lines: lines[1] + ", ".join(ANY_MARK.findall(lines[2])), marked))
    whole = WHOLE.fullmatch(marked)
    return whole["chosen"].replace("\n", ", ") if whole else ALL.sub(mark, marked)
