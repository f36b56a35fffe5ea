"""The choices in a question's text, as it labels them itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

CHOICE_LINE = re.compile(r"^[ \t]*\(?([A-Za-z]|\d{1,2})[).:][ \t]*(.*)$", re.MULTILINE)


# How nearly all references are written, which is read without all else: "B", "(B)", "B) text", "B. text".
PLAIN_REFERENCE = re.compile(r"\(?(?P<label>[A-Za-z]|\d{1,2})(?:[).:]\s*(?P<text>.*))?", re.DOTALL)


@dataclass(frozen=True)
class LabelledText:
    """A question's text, parted.

    `stem` is what stands before the choices, all of it where there are none. `choices` are their texts by their labels, in
    order.
    """

    stem: str
    choices: Mapping[str, str] = field(default_factory=dict)


def part_question(question: str) -> LabelledText:
    """Part a question's text into its stem and the choices that it offers; fewer than two are none.

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
    if not run:
        return LabelledText(question)
    ends = [choice.start() for choice in run[1:]] + [len(question)]
    choices = {match[1].upper(): question[match.start(2) : end].strip() for match, end in zip(run, ends, strict=True)}
    return LabelledText(question[: run[0].start()].rstrip(), choices)


def read_choices(question: str) -> Mapping[str, str]:
    """Return the choices in a question's text: their texts by their labels, in order; empty when it offers fewer than two."""
    return part_question(question).choices


def _follows(label: str, previous: str) -> bool:
    if label.isdigit() != previous.isdigit():
        return False
    return int(label) == int(previous) + 1 if label.isdigit() else ord(label) == ord(previous) + 1
