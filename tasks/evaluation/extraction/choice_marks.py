"""A reply as plain text in which every mention of a choice is one character, its mark (marks.py).

`mark_choices` prepares a reply for choices.py, whose patterns speak of marks alone and need not know a question's labels and
texts. Formatting is gone, and so is a mere echo of the choices.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tasks.evaluation.extraction.choice_labels import AFTER_NUMBER, LETTER, label_patterns, label_text_pattern, ordinal_patterns
from tasks.evaluation.extraction.marks import ANY_MARK, ECHO, LABEL, LISTED, MARKS, NAMED, QUOTED, TEXT, find_surroundings
from tasks.evaluation.extraction.plain_text import fold, fold_case, strip_formatting

ANY_TEXT, ONLY_TEXT = re.compile(QUOTED), re.compile(rf"\W*{QUOTED}\W*")
TEXT_AFTER_LABEL = re.compile(rf"({NAMED})[ \t).:,\"'–—(-]{{0,6}}{QUOTED}[\"')]?")
TEXT_BEFORE_LABEL = re.compile(rf"{QUOTED}[\"']?(?:,? \(?|: ?| ?[=–—-] ?)({NAMED})")
# A line that begins with a choice, before and after the choices are marked, and what follows a label there.
LINE_LEAD, LEAD_STOP = re.compile(r"\W*(\w{1,2})(?!\w)"), re.compile(r"^\W{0,3}(\w{1,2})[).:\]]+")
LIST_LINE = re.compile(rf"[^\w\n{MARKS}]{{0,5}}[{MARKS}](?=.*\w)")

# What distinguishes a label from a letter is within this distance.
LABEL_REACH = 40
NONE_OF_THEM = re.compile(r"none of (?:the above|the options|the choices|these|them)", re.IGNORECASE)
# What may come before and after a choice's text.
A_LETTER = re.compile(LETTER)
ANYWHERE, SPACE = re.compile(""), re.compile(r"\s+")
BEFORE_TEXT = re.compile(rf"(?<!{LETTER})(?<![\d.,/^−-])", re.IGNORECASE)
AFTER_SHORT_TEXT = re.compile(rf"{AFTER_NUMBER}(?! that\b)", re.MULTILINE | re.IGNORECASE)
AFTER_TEXT = re.compile(rf"(?!{LETTER})(?! that\b)", re.IGNORECASE)
AFTER_SIGN = re.compile(r"(?! that\b)", re.IGNORECASE)


def mark_choices(answer: str, choices: Mapping[str, str]) -> str:
    """Return the reply in plain text with a mark in place of each mention of a choice."""
    text = _drop_echoes(strip_formatting(answer), choices)
    text = _mark_labels(_mark_ordinals(_mark_texts(text, choices), len(choices)), tuple(choices))
    # A label and its choice's text side by side are one mention; where they disagree, the label counts.
    text = TEXT_BEFORE_LABEL.sub(r"\1", TEXT_AFTER_LABEL.sub(r"\1", text))
    # Words before an echo of the choices are the question's, and may hold a choice's text, unless there are no other words.
    before, echo, after = text.rpartition(ECHO)
    return _mark_lists((before if ONLY_TEXT.fullmatch(before) else ANY_TEXT.sub("", before)) + echo + after)


def _drop_echoes(text: str, choices: Mapping[str, str]) -> str:
    """Return the text with ECHO in place of lines that only list the choices from the first on, perhaps cut or one twice."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = _find_echoed(lines, choices)
    if 0 not in found:
        return "\n".join(lines)
    kept, start = list[str](), 0
    while start < len(lines):
        end = start + 1
        while found[start] == 0 and end < len(lines) and found[end] - found[end - 1] in {0, 1}:
            end += 1
        kept += lines[start:end] if found[end - 1] < 1 or found[start] else [ECHO]
        start = end
    return "\n".join(kept)


def _find_echoed(lines: Sequence[str], choices: Mapping[str, str]) -> list[int]:
    """Return for each line the place of the choice that it repeats, -1 if it repeats none."""
    leads = [match[1].upper() if (match := LINE_LEAD.match(line)) else "" for line in lines]
    if next(iter(choices)) not in leads:
        return [-1] * len(lines)
    places: dict[str, int] = {}
    for place, (label, choice) in enumerate(choices.items()):
        first_line = choice.split("\n", 1)[0]
        places |= dict.fromkeys((fold(f"{label} {first_line}"), label.casefold()), place)
    return [
        places.get(fold(LEAD_STOP.sub(r"\1 ", line)), -1) if lead in choices else -1
        for line, lead in zip(lines, leads, strict=True)
    ]


def _mark_texts(text: str, choices: Mapping[str, str]) -> str:
    folded = [fold(choice) for choice in choices.values()]
    words = " ".join(text.casefold().split())
    for place, choice in sorted(enumerate(folded), key=lambda numbered: -len(numbered[1])):
        is_none = bool(NONE_OF_THEM.fullmatch(choice))
        may_occur = choice.removesuffix("?") in words or is_none
        if choice and may_occur and folded.count(choice) == 1:
            mark = chr(TEXT + place)
            if choice.upper() in choices:
                text = label_text_pattern(choice).sub(mark, text)
            else:
                text = _mark_text(text, choice, mark, is_none=is_none)
    return text


def _mark_text(text: str, choice: str, mark: str, *, is_none: bool) -> str:
    """Return the text with the mark where the choice's text occurs; a short one only where a sentence can end."""
    before = BEFORE_TEXT if A_LETTER.match(choice) else ANYWHERE
    after = AFTER_SHORT_TEXT if len(choice) <= 3 else AFTER_TEXT if A_LETTER.match(choice[-1]) else AFTER_SIGN
    spans = (match.span() for match in NONE_OF_THEM.finditer(text)) if is_none else _find_words(text, choice)
    kept, end = list[str](), 0
    for start, stop in spans:
        if before.match(text, start) and after.match(text, stop):
            kept += [text[end:start], mark]
            end = stop
    return "".join(kept) + text[end:]


def _find_words(text: str, choice: str) -> Iterator[tuple[int, int]]:
    """Yield where the folded words of a choice stand in the text, in any case and with any space between them.

    Compiling the words of each question's choices into a pattern took longer than everything else.
    """
    folded = fold_case(text, str.casefold)
    first, *others = choice.removesuffix("?").split() or [choice]
    start = folded.find(first)
    while start >= 0:
        stop = start + len(first)
        for word in others:
            space = SPACE.match(folded, stop)
            stop = space.end() + len(word) if space and folded.startswith(word, space.end()) else 0
            if not stop:
                break
        if stop:
            stop += choice.endswith("?") and folded.startswith("?", stop)
            yield start, stop
        start = folded.find(first, stop or start + 1)


def _mark_ordinals(text: str, count: int) -> str:
    """Return the text with marks for "the second option", "option two" and "of the four, the second"."""
    lowered = text.lower()
    for place, (signs, pattern) in enumerate(ordinal_patterns(count)):
        if any(sign in lowered for sign in signs):
            text = pattern.sub(chr(LABEL + place), text)
    return text


def _mark_labels(text: str, labels: tuple[str, ...]) -> str:
    for sign, pattern in label_patterns(labels):
        kept, end = list[str](), 0
        for part in find_surroundings(text, sign, LABEL_REACH):
            # A part's end is not the end of a line: what matches next to it only seems to match.
            last = part[1] - LABEL_REACH // 2 if part[1] < len(text) else len(text)
            for match in pattern.finditer(text, *part):
                if match.end() > last:
                    break
                kept += [text[end : match.start()], match["lead"], chr(LABEL + labels.index(match["label"].upper()))]
                end = match.end()
        text = "".join(kept) + text[end:] if kept else text
    return text


def _mark_lists(text: str) -> str:
    """Return the text with LISTED marks where lines weigh choices in their order, each beginning with its own."""
    lines = text.split("\n")
    leads = [index for index, line in enumerate(lines) if LIST_LINE.match(line)]
    listed = {index for pair in pairwise(leads) if _place(lines[pair[0]]) < _place(lines[pair[1]]) for index in pair}
    for index in listed:
        lines[index] = ANY_MARK.sub(chr(LISTED + _place(lines[index])), lines[index], count=1)
    return "\n".join(lines)


def _place(line: str) -> int:
    mark = ANY_MARK.search(line)
    return (ord(mark[0]) - LABEL) % (TEXT - LABEL) if mark else -1
