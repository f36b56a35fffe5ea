"""Where a question's text labels its choices: marks such as `A)`, `[A]`, `**A.**` and `①`, and runs of them.

A mark at the beginning of a line is enough to show that a choice begins there. A mark within a line, or a bare label at the
beginning of one, needs something else to confirm it, because prose holds such marks too.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from tasks.evaluation.questions.labels import ENCLOSED_CLASS, LABEL, find_places, name_label, normalize_label

MarkKind = Literal["line", "inline", "bare"]

SPACE = r"[ \t\u3000\xa0]"
# What may stand between a label and its choice's text: the end of the label's decoration, and white space.
GAP = re.compile(rf"(?:\*{{2,3}}|__|\}}|</(?:b|strong)>)?(?:{SPACE}|\\[ ,;])*")
NOUN = rf"(?:(?i:option|choice|opción|вариант|选项|选择){SPACE}?)?"
# A label in brackets, after which nothing else is needed, or one before a bracket, a dot or a colon.
BRACKETED = rf"(?P<open>[(\[{{<（［【〔｛「]){SPACE}?(?P<bracketed>{LABEL}){SPACE}?(?P<shut>[)\]}}>）］】〕｝」])[.:．：、]?"
POINTED = rf"[(（\[［]?(?P<pointed>{LABEL}){SPACE}{{0,2}}(?P<point>\.\)|\)[.:]|[).:\]．。：、）］】])"
ENCLOSED = rf"(?P<enclosed>[{ENCLOSED_CLASS}]\ufe0f?|\d\ufe0f?\u20e3)[).:．、：）]?"
LINE = re.compile(
    rf"^{SPACE}*(?:[-*•·▪◦‣>|]{SPACE}+)?{NOUN}(?:{BRACKETED}|{POINTED}|{ENCLOSED})",
    re.MULTILINE,
)
# Within a line a dot or a colon ends a label only before a space or a letter of another script: "U.S.A.", "3:45".
INLINE = re.compile(
    rf"(?<![A-Za-z0-9_\\.'\"(\[-])(?:{BRACKETED}(?![\w(])|(?P<lead>[(（\[［]?)(?P<pointed>{LABEL}){SPACE}{{0,2}}"
    rf"(?P<point>[)\]．。：、）］】]|[.:](?=\s|[^\x00-\x7f]))|{ENCLOSED})",
)
BARE = re.compile(
    rf"^{SPACE}*(?:\|{SPACE}*)?(?P<pointed>[A-Z]|\d{{1,2}}|(?![a-z]){LABEL})"
    rf"(?P<point>{SPACE}*(?:->|[-–—=→>|/]){SPACE}*|{SPACE}+(?=\S)|(?=\n))",
    re.MULTILINE,
)
PATTERNS: dict[MarkKind, re.Pattern[str]] = {"line": LINE, "inline": INLINE, "bare": BARE}
# Decoration around labels, which is blanked character by character before they are looked for.
WRAPPED = re.compile(rf"\\(?:textbf|mathbf|text|textrm|mathrm)\{{(?=\(?{LABEL}[).:]{{0,2}}\}})|(?<=[A-Za-z0-9).:])\}}")
DECORATION = re.compile(r"\*{1,3}|__|</?(?:b|strong)>|\$|\\q?quad|\\[;, ]|~")
LINE_BREAK = re.compile(rf"<br ?/?>|\\n(?={SPACE}*[(\[]?{LABEL}[).:\]])")


@dataclass(frozen=True)
class Mark:
    """A label in a question's text.

    Attributes:
        start: where it begins, including white space before it.
        end: where its choice's text begins.
        label: the label as `normalize_label` gives it.
        style: the signs around it; empty if they do not count.
        is_apart: it stands at the beginning of a line, or behind a gap wider than a space.
    """

    start: int
    end: int
    label: str
    style: str
    is_apart: bool


@dataclass(frozen=True)
class Run:
    """Marks whose labels follow each other from the first of a series on."""

    series: str
    marks: tuple[Mark, ...]

    @property
    def labels(self) -> list[str]:
        """Return the labels, in the form that the rest of the program uses."""
        return [name_label(self.series, place) for place in range(len(self.marks))]


def find_marks(text: str, kind: MarkKind) -> list[Mark]:
    """Return the marks of one kind in the text, in order."""
    shadow = _blank_decoration(text)
    return [_make_mark(match, text, shadow, kind) for match in PATTERNS[kind].finditer(shadow)]


def find_runs(marks: Iterable[Mark]) -> list[Run]:
    """Return the runs of at least two marks, the likeliest to be the choices first.

    Of several runs the last one counts, since a stem may hold a list of its own.
    """
    runs: list[tuple[str, list[Mark]]] = []
    for mark in marks:
        for series, place in find_places(mark.label):
            if place == 0:
                runs.append((series, []))
            for of_series, run in runs:
                if of_series == series and len(run) == place and (not run or run[0].style == mark.style):
                    run.append(mark)
    found = [Run(series, tuple(run)) for series, run in runs if len(run) > 1]
    return sorted(found, key=lambda run: (run.marks[-1].start, run.marks[0].start, len(run.marks)), reverse=True)


def _blank_decoration(text: str) -> str:
    """Return a text of the same length with plain line breaks, and with blanks in place of what decorates labels."""
    text = LINE_BREAK.sub(lambda match: "\n".rjust(len(match[0])), text)
    if "\\" in text:
        text = WRAPPED.sub(lambda match: " " * len(match[0]), text)
    return DECORATION.sub(lambda match: " " * len(match[0]), text)


def _make_mark(match: re.Match[str], text: str, shadow: str, kind: MarkKind) -> Mark:
    groups = match.groupdict()
    raw = groups.get("bracketed") or groups["pointed"] or groups.get("enclosed") or ""
    signs = (groups.get("open") or groups.get("lead") or "") + (groups.get("shut") or groups["point"] or "o")
    gap = GAP.match(text, match.end())
    before = shadow[max(0, match.start() - 2) : match.start()]
    is_apart = kind != "inline" or not before.strip(" ") or "\n" in before or before[-1:] in "\t\u3000\xa0"
    style = normalize("NFKC", signs) + ("1" if raw.isdecimal() else "") if kind == "inline" else ""
    return Mark(match.start(), gap.end() if gap else match.end(), normalize_label(raw), style, is_apart)
