"""Short answers: what a reply finally answers, and whether that is an accepted answer.

An answer is right when it equals an accepted one after SQuAD's normalisation, as a number, as a list, or as a yes or no. Token
F1 stands beside it and decides nothing.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.evaluation.extraction.plain_text import final_part, fold, strip_formatting
from tasks.evaluation.extraction.quantities import is_met, parse_quantity

Match = Literal["exact", "number", "list", "boolean"]

ANSWER = r"(?:answers?|\bans\b\.?|réponse|antwort|respuesta|risposta|resposta|ответ|答案|答え|正解|정답|답)"
IS = r"(?: ?[:=]|(?<=\W)(?:is|are|was|would be|should be|est|ist|lautet|es|è|é)\b:?|是|は|[은는])"
# What announces the answer, the last of these in a reply counts: "The answer to this is 5", "ANSWER: 5", "#### 5".
ANNOUNCED = re.compile(rf"{ANSWER}\)?(?: (?:to|of|for) [^.:\n]{{0,80}}?)? ?{IS}|^####", re.IGNORECASE | re.MULTILINE)
BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{[^{}]{0,80}\}){0,99})\}")
# A period ends a sentence unless an initial or a short title stands before it: "St. Louis", "J. K. Rowling".
SENTENCE_END = re.compile(r"(?:(?<=\w\w\w)|(?<=[\d)\]\"']))[.!?](?=\s|$)")
REASON = re.compile(r", (?:because|since|as|which)\b| because\b")
LEAD_IN = re.compile(r"(?:(?:it|this|that|he|she|they) (?:is|was|are|were)|it's|that's|i think|i believe)\s+", re.IGNORECASE)
LIST_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+(.+)$")
# A comma before three digits belongs to a number.
SEPARATOR = re.compile(r"\s*(?:,(?!\d{3}(?!\d))|;|\n|&|\band\b)\s*", re.IGNORECASE)
OPENING = ("(", "[", "<", "⟨")
LONGEST_FIRST_LINE = 60

YES, NO = {"yes", "true", "correct", "yeah"}, {"no", "false", "incorrect", "nope"}
ARTICLE = re.compile(r"\b(?:a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class ShortGrade:
    """What a reply's answer is worth.

    `answer` is what was read from the reply, `match` how it met an accepted answer, None where it met none. `exact_match` and
    `f1` are SQuAD's, the highest over the accepted answers.
    """

    answer: str
    match: Match | None
    exact_match: bool
    f1: float


def grade_short(reply: str, accepted: Sequence[str]) -> ShortGrade:
    """The worth of a reply whose right answers are these, at least one."""
    answer = read_final_answer(reply)
    matches = (find_match(answer, reference) for reference in accepted)
    return ShortGrade(
        answer=answer,
        match=next((match for match in matches if match), None),
        exact_match=any(is_exact_match(answer, reference) for reference in accepted),
        f1=max(measure_f1(answer, reference) for reference in accepted),
    )


def find_match(answer: str, reference: str) -> Match | None:
    """In what way the answer is the reference; None when it is another."""
    if _match_one(answer, reference):
        return "number" if parse_quantity(reference) and not is_exact_match(answer, reference) else "exact"
    expected, given = _read_boolean(reference, {"yes", "true"}, {"no", "false"}), _read_boolean(answer, YES, NO)
    if expected is not None and expected == given:
        return "boolean"
    return "list" if _match_lists(_split(answer), _split(reference), is_ordered=reference.startswith(OPENING)) else None


def read_final_answer(reply: str) -> str:
    """What a reply finally answers: what it announces last, else the reply itself or its line that can be an answer."""
    text = final_part(reply).replace("**", "")
    boxed = list(BOXED.finditer(text))
    announced = list(ANNOUNCED.finditer(text, boxed[-1].end() if boxed else 0))
    if announced:
        lines = [line for line in strip_formatting(text[announced[-1].end() :]).splitlines() if line.strip()]
        return _trim(lines[0].lstrip(" :*") if lines else "")
    if boxed:
        return _trim(boxed[-1][1])
    return _trim(LEAD_IN.sub("", _choose_line(text), count=1))


def normalize_answer(text: str) -> str:
    """The text in lower case without punctuation, articles and needless spaces.

    Source: `normalize_answer` of SQuAD's evaluate-v1.1.py and evaluate-v2.0.py (Rajpurkar et al. 2016, 2018).
    """
    return " ".join(ARTICLE.sub(" ", text.lower().translate(WITHOUT_PUNCTUATION)).split())


def is_exact_match(answer: str, reference: str) -> bool:
    """Whether both are the same after SQuAD's normalisation.

    Source: `compute_exact` of SQuAD's evaluate-v2.0.py.
    """
    return normalize_answer(answer) == normalize_answer(reference)


def measure_f1(answer: str, reference: str) -> float:
    """The harmonic mean of precision and recall over the words of both after SQuAD's normalisation, from 0 to 1.

    Source: `compute_f1` of SQuAD's evaluate-v2.0.py; where either has no words, 1 when neither has.
    """
    given, expected = normalize_answer(answer).split(), normalize_answer(reference).split()
    if not given or not expected:
        return float(given == expected)
    common = sum((Counter(given) & Counter(expected)).values())
    if not common:
        return 0.0
    precision, recall = common / len(given), common / len(expected)
    return 2 * precision * recall / (precision + recall)


def _match_one(answer: str, reference: str) -> bool:
    """Whether two single answers are the same: as numbers where both are, else as words."""
    given, expected = parse_quantity(answer), parse_quantity(reference)
    if given and expected:
        return is_met(expected, given)
    if fold(answer) == fold(reference) != "":
        return True
    words = normalize_answer(strip_formatting(reference))
    # A reference that is nothing but an article or signs leaves no words to compare.
    return bool(words) and words == normalize_answer(strip_formatting(answer))


def _match_lists(given: Sequence[str], expected: Sequence[str], *, is_ordered: bool) -> bool:
    if len(given) != len(expected) or len(expected) < 2:
        return False
    if is_ordered:
        return all(map(_match_one, given, expected))
    left = list(given)
    for item in expected:
        found = next((each for each in left if _match_one(each, item)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _split(text: str) -> list[str]:
    return [item for item in SEPARATOR.split(text.strip().strip("()[]{}<>⟨⟩")) if item]


def _read_boolean(text: str, yes: set[str], no: set[str]) -> bool | None:
    """Whether the text says yes or no: as its first word, or as a reference as all of it."""
    words = normalize_answer(strip_formatting(text)).split()
    if not words or (yes is not YES and len(words) > 1):
        return None
    return words[0] in yes if words[0] in yes | no else None


def _choose_line(text: str) -> str:
    """Of a reply that announces nothing: its list in one line, its first line, or its last where the first is too long."""
    lines = [line for line in text.splitlines() if line.strip()]
    items = [match[1] for line in lines if (match := LIST_ITEM.match(line))]
    if len(items) == len(lines) > 1:
        return ", ".join(strip_formatting(item) for item in items)
    plain = [line for line in map(strip_formatting, lines) if line] or [""]
    first_word = re.split(r"\W", plain[0].casefold(), maxsplit=1)[0]
    return plain[0] if len(plain[0]) <= LONGEST_FIRST_LINE or first_word in YES | NO else plain[-1]


def _trim(text: str) -> str:
    """The first sentence without its reason and the signs around it."""
    cuts: list[Callable[[str], re.Match[str] | None]] = [SENTENCE_END.search, REASON.search]
    for find in cuts:
        match = find(text)
        text = text[: match.start()] if match else text
    return text.strip(" \t\n\"'`*").rstrip(".")
