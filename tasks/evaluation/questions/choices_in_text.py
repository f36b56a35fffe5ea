"""The choices that a question's text labels itself."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.evaluation.questions.instructions import strip_instructions
from tasks.evaluation.questions.label_marks import MarkKind, Run, find_marks, find_runs
from tasks.evaluation.questions.labels import LATIN
from tasks.evaluation.questions.references import read_reference

# The way in which nearly all questions label their choices, one a line. These are read first, and in an unchanged way, so that
# paid results stay comparable.
CHOICE_LINE = re.compile(r"^[ \t]*\(?([A-Za-z]|\d{1,2})[).:][ \t]*(.*)$", re.MULTILINE)
# What may stand between choices on one line: "a ) 38 , b ) 60".
END = re.compile(r"(?:[\s,;|/，；、]|\*\*|<br ?/?>|\\n|\\q?quad|\\(?:text|math)(?:bf|rm)?\{|\$(?=\s*\Z))*\Z")
FINAL_END = re.compile(r"(?:\s+\|)?\s*(?:\*\*)?(?:\s(?:Answer|Ans|答案)\s*[:：]?)?\s*\Z")
QUESTION_MARKS = ("?", "？", "؟")
KINDS: tuple[MarkKind, ...] = ("line", "inline", "bare")
FEWEST_SURE = 3
SECOND_SIGNS = (". ", ") ", ": ")
# Exams that alternate between two sets of letters go as far as K.
FURTHEST_LETTER = 11
BULLET = re.compile(r"^[ \t]*[-*•·▪◦‣][ \t]+\S", re.MULTILINE)


@dataclass(frozen=True)
class LabelledText:
    """A question's text in its parts.

    Attributes:
        stem: what comes before the choices; the whole text if it offers none.
        choices: the choices' texts by their labels, in order.
    """

    stem: str
    choices: Mapping[str, str] = field(default_factory=dict)


def part_question(question: str, answers: Sequence[str] = ()) -> LabelledText:
    """Return a question's stem and the choices that its text offers; fewer than two do not count as choices.

    Choices that each begin a line, labelled `A)`, `(A)`, `A.` or `A:`, are read as `part_lines` says. Any other form is taken
    only if it can be nothing else, or if one of the answers names one of the choices: full-width signs, `[A]`, letters in
    circles, Cyrillic or Greek letters, several choices on one line, a bare letter.
    """
    lines = _strip_signs(_strip_last(part_lines(question)))
    if lines.choices and (not answers or _is_named(lines, answers)):
        return lines
    candidates = list(_find_candidates(question))
    named = (found for kind, found in candidates if answers and _is_named(found, answers))
    sure = (found for kind, found in candidates if _is_sure(kind, found, is_named_needed=bool(answers)))
    return next(named, None) or (lines if lines.choices else None) or next(sure, None) or LabelledText(question)


def part_lines(question: str) -> LabelledText:
    """Return a question's stem and the choices that begin a line each.

    A choice begins with a letter or a number and `)`, `.` or `:`, perhaps in brackets. Labels follow each other from A or 1;
    of several such lists the last one counts, since a stem may hold a list of its own. A line without the next label belongs
    to the choice before it.
    """
    runs = [run for run in _find_line_runs(question) if len(run) > 1]
    if not runs:
        return LabelledText(question)
    run = max(runs, key=lambda run: (run[-1].start(), run[0].start()))
    ends = [choice.start() for choice in run[1:]] + [len(question)]
    choices = {match[1].upper(): question[match.start(2) : end].strip() for match, end in zip(run, ends, strict=True)}
    return LabelledText(question[: run[0].start()].rstrip(), choices)


# Lists in forms that are not read: HTML, LaTeX, `#A`, and a letter glued to its text in brackets.
FOREIGN_LISTS = (
    re.compile(r"<li\b[^>]*>", re.IGNORECASE),
    re.compile(r"\\item\b"),
    re.compile(r"^\s*#[A-Z]\s", re.MULTILINE),
    re.compile(r"\b[A-Z]（[^（）\n]{1,80}）"),
)
ZERO = re.compile(r"^[ \t]*\(?0[).:][ \t]*\S[^\n]*\n[ \t]*\(?1[).:]", re.MULTILINE)
POSSIBLE_LABEL = re.compile(r"[A-K]|\d{1,2}|[IV]{1,4}")
# Roman numerals from I on, each at the beginning of a line or in brackets.
ROMAN = re.compile(r"(?:^|\s)\(?I[.)]\s.{1,200}?\s\(?II[.)]\s.{1,200}?\s\(?III[.)]\s", re.IGNORECASE | re.DOTALL)


def read_option_text(text: str) -> Mapping[str, str]:
    """Return the labelled choices in a text that is known to hold only choices; empty if it labels none."""
    lines = _strip_last(part_lines(text))
    found = (candidate for _, candidate in _find_candidates(text) if not candidate.stem.strip() or len(candidate.choices) > 2)
    return lines.choices or next(found, LabelledText(text)).choices


def counts_from_zero(question: str, choices: Mapping[str, str]) -> bool:
    """Return True if the text has a choice 0 before those that were read from 1 on."""
    return next(iter(choices), "") == "1" and ZERO.search(question) is not None


def looks_like_choices(question: str, answer: str) -> bool:
    """Return True if the text holds items that the answer may name, though in no order or form that we know."""
    letter = answer.strip(" ().[]#").upper()
    if POSSIBLE_LABEL.fullmatch(letter) and (
        ROMAN.search(question) or any(len(pattern.findall(question)) > 1 for pattern in FOREIGN_LISTS)
    ):
        return True
    if len(letter) != 1 or letter not in LATIN[:FURTHEST_LETTER]:
        return False
    lines = {mark.label for mark in find_marks(question, "line")}
    inline = {mark.label for mark in find_marks(question, "inline")}
    has_letters = (len(lines) > 1 and letter in lines) or (len(inline) >= FEWEST_SURE and letter in inline)
    return has_letters or len(BULLET.findall(question)) >= FEWEST_SURE


def _find_candidates(question: str) -> Iterator[tuple[MarkKind, LabelledText]]:
    """Yield what may be the choices, the likeliest first."""
    for kind in KINDS:
        for run in find_runs(find_marks(question, kind)):
            found = _strip_last(_cut(question, run))
            if not _ends_in_question(found):
                yield kind, found


def _cut(question: str, run: Run) -> LabelledText:
    """Return the text in the parts that a run of marks makes, without what separates the choices."""
    ends = [mark.start for mark in run.marks[1:]] + [len(question)]
    texts = [question[mark.end : end].strip() for mark, end in zip(run.marks, ends, strict=True)]
    texts = [END.sub("", text) for text in texts[:-1]] + [FINAL_END.sub("", texts[-1])]
    if question[: run.marks[0].start].count("$") % 2:
        texts[-1] = texts[-1].removesuffix("$")  # one formula holds all choices
    return LabelledText(question[: run.marks[0].start].rstrip(), dict(zip(run.labels, texts, strict=True)))


def _strip_last(parted: LabelledText) -> LabelledText:
    """Return the parts without instructions after the last choice."""
    if not parted.choices:
        return parted
    last, text = list(parted.choices.items())[-1]
    stripped = strip_instructions(text)
    return parted if stripped == text else LabelledText(parted.stem, {**parted.choices, last: stripped})


def _strip_signs(parted: LabelledText) -> LabelledText:
    """Return the parts without the second sign of labels such as `(A).` and `A.)`, if all of them have it."""
    for text in parted.choices.values():
        if not text.startswith(SECOND_SIGNS):
            return parted
    return LabelledText(parted.stem, {label: text[2:] for label, text in parted.choices.items()})


def _ends_in_question(parted: LabelledText) -> bool:
    """Return True if the question itself follows what looked like choices: "① ... ② ... Which of them are right?"."""
    *others, last = parted.choices.values()
    return last.endswith(QUESTION_MARKS) and not any(text.endswith(QUESTION_MARKS) for text in others)


def _is_named(parted: LabelledText, answers: Sequence[str]) -> bool:
    return any(read_reference(answer, parted.choices) for answer in answers)


def _is_sure(kind: MarkKind, parted: LabelledText, *, is_named_needed: bool) -> bool:
    """Return True if these are choices though no answer says so: lettered, each in a line or at least three in a row."""
    is_lettered = not any(label.isdecimal() for label in parted.choices)
    if is_named_needed:
        return kind == "line" and is_lettered
    return kind != "bare" and (is_lettered or len(parted.choices) >= FEWEST_SURE)


def _find_line_runs(question: str) -> list[list[re.Match[str]]]:
    """Return each run of lines whose labels follow each other, from A or 1 on."""
    runs: list[list[re.Match[str]]] = []
    wanted: list[str | int] = []
    for match in CHOICE_LINE.finditer(question):
        label = match[1].upper()
        mark = int(label) if label.isdigit() else label
        following = mark + 1 if isinstance(mark, int) else chr(ord(mark) + 1)
        for place, run in enumerate(runs):
            if wanted[place] == mark:
                run.append(match)
                wanted[place] = following
        if label in ("A", "1"):
            runs.append([match])
            wanted.append(following)
    return runs
