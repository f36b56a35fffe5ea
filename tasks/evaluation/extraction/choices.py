"""The choice that a reply finally makes.

`read_choice` reads the labels that a reply settles on, and whether its words do settle it. A reply that makes no choice is
never assigned one. It is read as a text of marks (choice_marks.py), in which each mention of a choice is one character, by its
decisions (decisions.py), or by what it mentions if it holds no decision.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.evaluation.extraction.choice_marks import mark_choices
from tasks.evaluation.extraction.decision_patterns import WHOLE, Kind
from tasks.evaluation.extraction.decisions import Decision, find_decisions, find_last_form
from tasks.evaluation.extraction.doubts import CONCLUDING, REVISING, WITHDRAWN
from tasks.evaluation.extraction.marks import ANY_MARK, ECHO, MARKS, TEXT, read_marks
from tasks.evaluation.extraction.mentions import read_only_mention, read_only_true, read_remaining
from tasks.evaluation.extraction.plain_text import final_part, fold
from tasks.evaluation.extraction.several_choices import join_several
from tasks.evaluation.extraction.structured_answers import write_out

# Several choices without anything between them, as a whole line or after a colon: "AC", "Answer: A C".
JOINED = re.compile(r"((?:^|[:：\]】]|\b(?:is|are) )[ *(]{0,4})([A-Z](?: ?[A-Z]){1,25})(?=[*). ]{0,4}$)", re.MULTILINE)
CAPITALS = re.compile("[A-Z] ?[A-Z](?![a-z])")
# A base model's next question, after an answer of one line.
INVENTED = re.compile(
    r"\A(\W{0,3}(?:[A-Za-z]|\d{1,2})\b[^\n]{0,80}?)(?:\n\s{0,9}[^\n]{1,500}\?[ \t]{0,9}\n\W{0,3}[A1][).:]"
    r"| Question:|\s{0,3}#{2,6} ?(?:Question|Instruction)\b)"
)
# The last line that a reply was asked for. Nothing above such a line counts, so it is read first.
LAST_LINE = re.compile(
    r"(?P<lead>\**(?:the )?(?:final |correct )?answer(?: is)?:\**[ \t]*)?"
    r"\**(?:\((?P<bracketed>[a-z]|\d{1,2})\)|(?P<bare>[a-z]|\d{1,2})[).:]?)(?P<text> [^\n]{1,200})?\.?\**",
    re.IGNORECASE,
)
LONGEST_LINE = 250
REFUSAL = re.compile(
    r"\b(?:can(?:'|no| no)?t|unable|not able|not (?:allowed|comfortable)|won't|refuse|declin|(?:do not|don't) (?:know"
    r"|have)|no idea"
    r"|not sure|insufficient|not enough|incomplete|please (?:provide|consult|give|paste)|sorry|apolog|rather not)",
    re.IGNORECASE,
)
# A choice that names others: "Both A and B", "All of the above".
NAMES_OTHERS = re.compile(
    r"\b[a-z]\b[^a-z]{0,3}(?:\b(?:and|or)\b|&)[^a-z]{0,3}\b[a-z]\b|\b(?:all|both|none|neither|either|above)\b", re.IGNORECASE
)

SAYS_NONE = re.compile(
    r"\W*(?:it )?(?:none|neither|nothing|no|not|cannot|can't|insufficient|unknown|undetermined|all of)\b", re.IGNORECASE
)
# Words that say nothing: "The correct answer is", "N/A", "...".
EMPTY = re.compile(
    r"[\W_]*(?:(?:the|final|correct|my|n/a|answer|is|option|choice|none|null|question|which|ok|okay|sure)\b[\W_]*){0,8}",
    re.IGNORECASE,
)

# A letter that may be anything: "my grade was B".
BARE = re.compile(rf"\b(?:is|was|were|be|suppose|let|then) [{MARKS}]|\b(?-i:[B-HJ-Z])\b(?!')", re.IGNORECASE)
# A letter that is not read as a label, and may be one.
STRAY = re.compile(r"\b[B-HJ-Z]\b(?!')")
# A text that is only one choice.
# What breaks off before the choice that it announces: "The correct option is", "C. Jupiter: it is".
UNFINISHED = re.compile(
    rf"(?<![{MARKS}] )\b(?:answer|option|choice|one|which|it|that|this|conclusion|solution)\b[^\w\n{MARKS}]{{0,3}}"
    r"(?:\b(?:is|are|was|would be|must be)|[:=])\Z",
    re.IGNORECASE,
)
UNFINISHED_ENDS, UNFINISHED_REACH = ("is", "are", "was", "be", ":", "="), 40
# Labels, each as a sentence of its own, and nothing else.
LABELS = re.compile(rf"(?:(?:[{MARKS}]|\b[A-Z]\b)[).]?\s{{1,3}}){{1,26}}[{MARKS}][).]?")
ONLY = re.compile(f"[^\\w?{MARKS}✗✘❌]{{0,5}}[{MARKS}][^\\w?{MARKS}✗✘❌]{{0,5}}")


@dataclass(frozen=True)
class ChoiceReading:
    """What a reply chooses, as far as its words settle it."""

    labels: tuple[str, ...]
    """The labels that are chosen, in the question's order; empty if nothing is."""
    is_certain: bool
    """False if the words do not settle it: the model may be asked which choice it meant."""


NOTHING, UNSETTLED = ChoiceReading((), is_certain=True), ChoiceReading((), is_certain=False)


def read_choice(reply: str, choices: Mapping[str, str], *, several: bool = False) -> ChoiceReading:
    """Return the choices that a reply makes, of those in `choices`.

    What it says last counts, but nothing that follows the line "ANSWER: B" unless it takes that back. With `several`, a reply
    may choose more than one; without, one that chooses more than one chooses nothing.
    """
    final = final_part(reply).strip()
    final = invented[1] if (invented := INVENTED.match(final)) else final
    if not final or not choices:
        return NOTHING
    if (label := _read_last_line(final, choices)) is not None:
        return ChoiceReading((label,), is_certain=True) if label else NOTHING
    marked = mark_choices(part_labels(write_out(final, choices), choices), choices)
    places = _read_places(join_several(marked, len(choices)) if several else marked, choices, several=several)
    if places is None:
        return UNSETTLED
    labels = tuple(list(choices)[place] for place in places)
    if len(labels) > 1 and not several:
        return UNSETTLED if any(map(NAMES_OTHERS.search, choices.values())) else NOTHING
    return ChoiceReading(labels, is_certain=True)


def part_labels(text: str, choices: Mapping[str, str]) -> str:
    """Return the text with commas between labels that are written as one word, each of them once."""

    def part(match: re.Match[str]) -> str:
        labels = match[2].replace(" ", "")
        is_joined = len(set(labels)) == len(labels) and set(labels) <= choices.keys()
        return match[1] + ", ".join(labels) if is_joined else match[0]

    return JOINED.sub(part, text) if CAPITALS.search(text) else text


def read_decision(marked: str) -> list[int] | None:
    """Return the choices of the last decision in a text of marks; None if it holds no decision."""
    if whole := WHOLE.fullmatch(marked):
        return read_marks(whole["chosen"])
    decisions = [decision for decision in find_decisions(marked) if not decision.is_doubtful]
    return list(decisions[-1].places) if decisions else None


def _read_last_line(final: str, choices: Mapping[str, str]) -> str | None:
    """Return the label in the line that the reply was asked to end with, or that it consists of; None without such a line.

    The label is empty if the question offers no such choice. If a choice's text could be part of the line, the line alone
    settles nothing.
    """
    line = final.rpartition("\n")[2]
    match = LAST_LINE.fullmatch(line) if len(line) < LONGEST_LINE else None
    above = final.removesuffix(line).rstrip().rpartition("\n")[2].casefold()
    if match is None or (not match["lead"] and line != final) or "answer:" in above:
        return None
    label = (match["bracketed"] or match["bare"]).upper()
    if match["text"]:
        return label if label in choices and fold(match["text"]) == fold(choices[label]) != "" else None
    texts = [fold(text) for text in choices.values()]
    if any(text and ("answer" in text or text in line.casefold()) for text in texts):
        return None
    return label if label in choices else "" if match["bare"] and label.isdigit() == next(iter(choices)).isdigit() else None


def _read_places(marked: str, choices: Mapping[str, str], *, several: bool) -> list[int] | None:
    """Return the positions of the choices that a reply makes; None if its words do not settle it."""
    if ONLY.fullmatch(marked) or (LABELS.fullmatch(marked) and (several or "\n" not in marked) and len(read_marks(marked)) > 1):
        return read_marks(marked)
    if (form := find_last_form(marked)) is not None:
        return list(form.places)
    if _breaks_off(marked):
        return None
    decisions = find_decisions(marked)
    hints = [each for each in decisions if each.kind == Kind.FIELD and not each.is_doubtful]
    own = [each for each in decisions if each.kind != Kind.FIELD and not each.is_doubtful]
    if several and len({each.places for each in own}) > 1 and not any(each.kind == Kind.FORM for each in own):
        return None
    if own:
        places = _settle(marked, own)
        return None if places == [] and any(map(SAYS_NONE.match, choices.values())) else places
    return None if len(decisions) > len(hints) else _read_undecided(marked, len(choices), is_hinted=bool(hints))


def _breaks_off(marked: str) -> bool:
    """Return True if a reply that mentions choices ends before the one that it announces."""
    said = marked.rstrip(" \n*\"'`_")
    is_open = said.endswith(UNFINISHED_ENDS) and UNFINISHED.search(said, max(0, len(said) - UNFINISHED_REACH))
    return bool(is_open and ANY_MARK.search(said))


def _read_undecided(marked: str, count: int, *, is_hinted: bool) -> list[int] | None:
    """Return the choices of a reply without a decision; None if its words may still make one.

    A label in the middle of a sentence may be anything, unless a field or the sentence's beginning hints at it.
    """
    if places := read_only_true(marked):
        return places
    if (places := read_only_mention(marked)) and not REFUSAL.search(marked):
        is_text = chr(TEXT + places[0]) in marked
        return places if is_text or not (STRAY if is_hinted else BARE).search(marked) else None
    return read_remaining(marked, count) or (None if _may_choose(marked) else [])


def _may_choose(marked: str) -> bool:
    """Return True if a reply without a decision may still make one in words that are not understood."""
    if ANY_MARK.search(marked):
        return True
    said = marked.rpartition(ECHO)[2]
    return not (REFUSAL.search(said) or EMPTY.fullmatch(said) or (said.startswith("{") and said.endswith("}")))


def _settle(marked: str, decisions: Sequence[Decision]) -> list[int] | None:
    """Return the choices that the decisions agree on; None if they disagree, or the last is taken back."""
    forms = [each for each in decisions if each.kind == Kind.FORM]
    if forms:
        others = [*forms[-2:-1], *(each for each in decisions if each.start > forms[-1].start)]
        is_contradicted = _is_contradicted(marked, forms[-1], others)
        return _read_instead(marked, forms[-1], decisions) if is_contradicted else list(forms[-1].places)
    return None if WITHDRAWN.search(marked, decisions[-1].end) else _weigh(marked, decisions)


def _weigh(marked: str, decisions: Sequence[Decision]) -> list[int] | None:
    """Return the choices of the last decision if it agrees with the others, revises or concludes them; else None.

    After a reply's first words only a firm decision counts.
    """
    first, last = decisions[0], decisions[-1]
    rivals = [each for each in decisions if each.places != last.places]
    if not rivals or REVISING.search(marked, rivals[-1].end, last.start):
        return list(last.places)
    if first.kind == Kind.LEAD:
        is_kept = all(each.kind != Kind.FIRM or each.places == first.places for each in decisions)
        return list(first.places) if is_kept else None
    is_firmer = last.kind > max(each.kind for each in rivals)
    is_conclusion = last.kind >= Kind.FIRM and CONCLUDING.search(marked, rivals[-1].end, last.start)
    return list(last.places) if is_firmer or is_conclusion else None


def _is_contradicted(marked: str, form: Decision, others: Sequence[Decision]) -> bool:
    """Return True if the reply takes back the line in the requested form, or also says the contrary."""
    if WITHDRAWN.search(marked, form.end):
        return True
    for other in others:
        between = marked[form.end : other.start] if other.start > form.start else marked[other.end : form.start]
        is_near = other.start < form.start and not re.search(r"\w{4}", between.casefold().replace("answer", ""))
        is_contrary = not other.match["chosen"] or (other.kind == Kind.FIRM and bool(CONCLUDING.search(between)))
        if other.places != form.places and (is_near or is_contrary):
            return True
    return False


def _read_instead(marked: str, form: Decision, decisions: Sequence[Decision]) -> list[int] | None:
    """Return the choice that is made after the line in the requested form was taken back; None without one."""
    withdrawals = list(WITHDRAWN.finditer(marked, form.end))
    if not withdrawals:
        return None
    later = [each for each in decisions if each.start > withdrawals[-1].start() and each.kind == Kind.FIRM]
    return list(later[-1].places) if later and len({each.places for each in later}) == 1 else None
