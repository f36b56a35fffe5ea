"""The choices in a question's text, as it labels them itself."""

import re

CHOICE_LINE = re.compile(r"^[ \t]*\(?([A-Za-z]|\d{1,2})[).:][ \t]*(.*)$", re.MULTILINE)


# How nearly all references are written, which is read without all else: "B", "(B)", "B) text", "B. text".
PLAIN_REFERENCE = re.compile(r"\(?(?P<label>[A-Za-z]|\d{1,2})(?:[).:]\s*(?P<text>.*))?", re.DOTALL)


def read_choices(question: str) -> dict[str, str]:
    """The labels and texts of a question's choices, in their order; empty when it offers fewer than two.

    A choice begins a line with a letter or a number and `)`, `.` or `:`, perhaps in brackets. Labels follow each other from A
    or 1; of several such lists the last one counts, since a stem may hold a list of its own. A line without the next label
    belongs to the choice before it.
    """
    runs: list[list[re.Match[str]]] = []
    for match in CHOICE_LINE.finditer(question):
        label = match[1].upper()
        if label in ("A", "1"):
            runs.append([match])
        for run in runs:
            if _follows(label, run[-1][1].upper()):
                run.append(match)
    run = max((run for run in runs if len(run) > 1), key=lambda run: (run[-1].start(), run[0].start()), default=[])
    ends = [choice.start() for choice in run[1:]] + [len(question)] * bool(run)
    return {match[1].upper(): question[match.start(2) : end].strip() for match, end in zip(run, ends, strict=True)}


def read_stem(question: str) -> str:
    """The question without its choices."""
    choices = read_choices(question)
    starts = [match.start() for match in CHOICE_LINE.finditer(question) if read_choices(question[match.start() :]) == choices]
    return question[: starts[-1]].rstrip() if choices else question


def _follows(label: str, previous: str) -> bool:
    if label.isdigit() != previous.isdigit():
        return False
    return int(label) == int(previous) + 1 if label.isdigit() else ord(label) == ord(previous) + 1
