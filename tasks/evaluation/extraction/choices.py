"""The choice that an answer finally makes.

`read_choice` reads the label that an answer settles on, or nothing: an answer is never given a choice that it did not make. It
is read as a text of marks (choice_marks.py), in which each mention of a choice is one character, by the patterns of
decisions.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.extraction.choice_marks import mark_choices
from tasks.evaluation.extraction.decisions import (
    CLAUSE,
    COMPLETE,
    CONTRASTED,
    DECISIONS,
    DOUBTED,
    OR,
    REACH,
    REJECTED,
    SENTENCE,
    SUPPOSED,
    TRUE,
    WITHDRAWN,
)
from tasks.evaluation.extraction.marks import ANY_MARK, ECHO, find_surroundings, read_marks
from tasks.evaluation.extraction.plain_text import final_part, fold

# Several choices without anything between them, as a whole line or behind a colon: "AC", "Answer: A C".
JOINED = re.compile(r"((?:^|[:：]|\b(?:is|are) )[ *(]{0,4})([A-Z](?: ?[A-Z]){1,25})(?=[*). ]{0,4}$)", re.MULTILINE)
# How an answer ends that was asked to end so. What stands above such a line counts for nothing, so it is read at once.
LAST_LINE = re.compile(
    r"\**(?:the )?(?:final |correct )?answer:\**[ \t]*\**(?:\((?P<bracketed>[a-z]|\d{1,2})\)|(?P<bare>[a-z]|\d{1,2})\)?)\.?\**",
    re.IGNORECASE,
)
# An answer in a form for programs: a JSON field, a tag, a LaTeX box. The class at the beginning is found at once.
FIELD = r"(?:final_|correct_|selected_)?(?:answer|choice|option|label|letter|response)"
STRUCTURED = re.compile(
    rf"[\"'<\\](?:(?<=[\"']){FIELD}[\"']\s{{0,9}}:\s{{0,9}}(\"[^\"\n]{{0,300}}\"|'[^'\n]{{0,300}}'|\[[^\[\]{{}}]{{0,300}}\]|\w{{1,9}})"
    rf"|(?<=<){FIELD}>([^<>]{{0,300}})</"
    r"|(?<=\\)boxed\{((?:[^{}]|\{[^{}]{0,80}\}){0,99})\})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ChoiceReading:
    """What a reply chooses, as far as its words settle it."""

    labels: tuple[str, ...]
    """The labels that are chosen, in the question's order; empty where nothing is."""
    is_certain: bool
    """False where the words do not settle it: the model may be asked which choice it meant."""


def read_choice(answer: str, choices: Mapping[str, str], *, several: bool = False) -> ChoiceReading:
    """Return the choices that a reply makes, of those in `choices`.

    What it says last counts. With `several`, a reply may choose more than one; without, one that chooses more than one chooses
    nothing.
    """
    final = final_part(answer)
    places = _read_places(part_labels(final, choices) if several else final, choices) if choices else []
    is_settled = len(places) == 1 or (several and places)
    return ChoiceReading(tuple(list(choices)[place] for place in places) if is_settled else (), is_certain=True)


def part_labels(text: str, choices: Mapping[str, str]) -> str:
    """The text with commas between labels that are written as one word, each of them once."""

    def part(match: re.Match[str]) -> str:
        labels = match[2].replace(" ", "")
        is_joined = len(set(labels)) == len(labels) and set(labels) <= choices.keys()
        return match[1] + ", ".join(labels) if is_joined else match[0]

    return JOINED.sub(part, text)


def _read_places(answer: str, choices: Mapping[str, str]) -> list[int]:
    """The positions of the choices that an answer makes, by the first of these ways in which it settles."""
    structured = [next((group for group in match.groups() if group), "") for match in STRUCTURED.finditer(answer)]
    if structured and fold(structured[-1]) in {"", "null", "none"}:
        return []
    if structured and (places := read_decision(mark_choices(structured[-1].strip("\"'[] \n"), choices))):
        return places
    if (place := _read_last_line(answer, choices)) is not None:
        return [place]
    marked = mark_choices(answer, choices)
    for read in (read_decision, _read_only_true, _read_only_mention):
        if (places := read(marked)) is not None:
            return places
    return _read_remaining(marked, len(choices))


def _read_last_line(answer: str, choices: Mapping[str, str]) -> int | None:
    """The place of the choice in the line that the answer was asked to end with; None without such a line.

    Where a choice's text could be part of the line, the line says nothing alone.
    """
    line = answer.rstrip().rpartition("\n")[2]
    match = LAST_LINE.fullmatch(line)
    label = (match["bracketed"] or match["bare"]).upper() if match else ""
    if label not in choices:
        return None
    texts = [fold(text) for text in choices.values()]
    is_plain = not any(text and ("answer" in text or text in line.casefold()) for text in texts)
    return list(choices).index(label) if is_plain else None


def read_decision(marked: str) -> list[int] | None:
    """The choices of the last decision; none when it is withdrawn or an alternative, None when there is no decision."""
    found = [
        match
        for start, end in find_surroundings(marked, ANY_MARK, REACH)
        for pattern in DECISIONS
        for match in pattern.finditer(marked, start, end)
        if not _is_supposed(match)
    ]
    last = max(found, key=lambda match: match.start("chosen"), default=None)
    if last is None:
        return None
    places = [] if re.search(OR, last["chosen"]) else read_marks(last["chosen"])
    withdrawals = list(WITHDRAWN.finditer(marked, last.end("chosen")))
    if not withdrawals:
        return places
    instead = _read_only_mention(marked[withdrawals[-1].end() :]) or []
    return [] if instead == places else instead


def _is_supposed(match: re.Match[str]) -> bool:
    return bool(SUPPOSED.search(match.string, max(0, match.start("chosen") - 250), match.start("chosen")))


def _read_only_true(marked: str) -> list[int] | None:
    """The choice that alone is called true."""
    places = {place for match in TRUE.finditer(marked) for place in read_marks(match["chosen"])}
    return list(places) if len(places) == 1 else None


def _read_only_mention(marked: str) -> list[int] | None:
    """The one choice that an answer mentions without a doubt, at all or in its first sentence, without one in its last.

    An answer that breaks off has not come to its choice.
    """
    # Before an echo of the choices stands one of the question.
    sentences = [sentence for sentence in SENTENCE.split(CONTRASTED.sub("", marked.rpartition(ECHO)[2])) if sentence.strip()]
    if (len(sentences) > 1 and not COMPLETE.search(marked)) or WITHDRAWN.search(marked):
        return None
    named = [_read_undoubted(sentence) for sentence in sentences]
    places = {place for sentence in named for place in sentence}
    if named and len(named[0]) == 1 and named[-1] <= named[0]:
        places = named[0]
    return list(places) if len(places) == 1 else None


def _read_undoubted(sentence: str) -> set[int]:
    return {place for clause in CLAUSE.split(sentence) if not DOUBTED.search(clause) for place in read_marks(clause)}


def _read_remaining(marked: str, count: int) -> list[int]:
    """The choice that is left when the answer rejects all others."""
    rejected = {place for match in REJECTED.finditer(marked) for place in read_marks(match[0])}
    return sorted(set(range(count)) - rejected) if len(rejected) == count - 1 > 1 else []
