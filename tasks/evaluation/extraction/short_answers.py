"""Short answers: what a reply finally answers, and whether that is an accepted answer.

An answer is right when it equals an accepted one: as a yes or no, as a date, as a number with its unit, as a formula, as a
list, or word by word. If both are of one kind, that kind decides. SQuAD's exact match and token F1 decide nothing.
"""

import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.evaluation.extraction.answer_lists import are_same_parts, split_parts
from tasks.evaluation.extraction.booleans import read_boolean, read_reference
from tasks.evaluation.extraction.dates import parse_moment
from tasks.evaluation.extraction.final_answers import read_final_answer, read_reference_answer, strip_emphasis
from tasks.evaluation.extraction.notation import write_plainly
from tasks.evaluation.extraction.quantities import is_met, parse_quantity
from tasks.evaluation.extraction.relations import are_same_relations, split_value
from tasks.evaluation.extraction.sentences import find_statements
from tasks.evaluation.extraction.wording import are_same_words, unwrap

Match = Literal["exact", "number", "list", "boolean", "date", "formula"]

ARTICLE = re.compile(r"\b(?:a|an|the)\b")
WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class ShortGrade:
    """A short answer's grade."""

    answer: str
    """What was read from the reply."""
    match: Match | None
    """How it matches an accepted answer; None if it matches none."""
    exact_match: bool
    """SQuAD's exact match, the highest over the accepted answers."""
    f1: float
    """SQuAD's token F1, likewise."""


def grade_short(reply: str, accepted: Sequence[str]) -> ShortGrade:
    """Return the grade of a reply whose right answers are these, at least one."""
    answer = read_final_answer(reply)
    references = [read_reference_answer(reference) for reference in accepted]
    matches = (find_match(answer, reference) or _find_verbatim(reply, reference) for reference in references)
    return ShortGrade(
        answer=answer,
        match=next((match for match in matches if match), None),
        exact_match=any(is_exact_match(answer, reference) for reference in references),
        f1=max(measure_f1(answer, reference) for reference in references),
    )


def find_match(answer: str, reference: str) -> Match | None:
    """Return the way in which the answer matches the reference; None if it does not."""
    match = _compare(answer, reference)
    return "exact" if match and is_exact_match(answer, reference) else match


def normalize_answer(text: str) -> str:
    """Return the text in lower case without punctuation, articles and needless spaces.

    Source: `normalize_answer` of SQuAD's evaluate-v1.1.py and evaluate-v2.0.py (Rajpurkar et al. 2016, 2018).
    """
    return " ".join(ARTICLE.sub(" ", text.lower().translate(WITHOUT_PUNCTUATION)).split())


def is_exact_match(answer: str, reference: str) -> bool:
    """Return True if both are the same after SQuAD's normalisation.

    Source: `compute_exact` of SQuAD's evaluate-v2.0.py.
    """
    return normalize_answer(answer) == normalize_answer(reference)


def measure_f1(answer: str, reference: str) -> float:
    """Return the harmonic mean of precision and recall over the words of both after SQuAD's normalisation, from 0 to 1.

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


def _find_verbatim(reply: str, reference: str) -> Match | None:
    """Return "exact" if the reference is code that Markdown would take for emphasis, and the reply gives it as it is."""
    is_code = strip_emphasis(reference) != reference
    return "exact" if is_code and read_final_answer(reply, has_emphasis=False) == reference else None


def _compare(answer: str, reference: str) -> Match | None:
    given, expected = write_plainly(answer), write_plainly(reference)
    if not given or not expected:
        return None
    if given == expected:
        return "exact"
    if (right := read_reference(expected)) is not None:
        return "boolean" if read_boolean(given) == right else None
    wanted = unwrap(expected)
    return next((match for reading in _read(given, wanted) if (match := _compare_one(reading, wanted))), None)


def _read(answer: str, wanted: str) -> Iterator[str]:
    """Yield the readings of the answer: as it is, without its explanation, and what its sentence states."""
    plain = unwrap(answer)
    yield plain
    quantity = parse_quantity(wanted)
    yield from find_statements(plain, is_bare=quantity is not None and not quantity.unit.dimensions)


def _compare_one(given: str, expected: str) -> Match | None:
    """Compare both as the first kind that both belong to, and "x = 5" with "5" by its value."""
    match = _compare_value(given, expected)
    if match:
        return match
    given_name, given_value = split_value(given)
    expected_name, expected_value = split_value(expected)
    if given_name is None and expected_name is None:
        return None
    if given_name is not None and expected_name is not None and given_name != expected_name:
        return None
    return _compare_value(given_value, expected_value)


def _compare_value(given: str, expected: str) -> Match | None:
    moment = parse_moment(expected)
    if moment and (other := parse_moment(given)):
        return "date" if moment == other else None
    quantity = parse_quantity(expected)
    if quantity:
        other_quantity = parse_quantity(given) or parse_quantity(given, has_decimal_comma=bool(quantity.step))
        if other_quantity:
            return "number" if is_met(quantity, other_quantity) else None
    parts, other_parts = split_parts(expected), split_parts(given)
    if parts and other_parts:
        return "list" if are_same_parts(other_parts, parts, lambda one, other: bool(_compare_one(one, other))) else None
    is_same = are_same_relations(given, expected)
    if is_same is not None:
        return "formula" if is_same else None
    return "exact" if are_same_words(given, expected) else None
