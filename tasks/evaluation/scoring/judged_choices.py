"""The choices that a grader names in its verdict, and whether its score agrees with them."""

import re
import unicodedata

from tasks.evaluation.extraction.structured_answers import LOOKALIKES
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.questions import Question

# "B", "B)", "Option B", "the answer is B"; then nothing, or the choice's text: "B) text", "B - text", "B (text)".
LABEL = re.compile(
    r"(?:(?:the|its|their) )?(?:(?:correct|right|final|chosen) )?(?:(?:option|choice|answer|letter)\b)?(?: is\b)?[\W_]*"
    r"([A-Z]|\d{1,2})(?:[\W_]*|[).:] .*| [-–—] .*| ?[(\[].*)",
    re.IGNORECASE | re.DOTALL,
)
BARE = re.compile(r"\w|\d\d")
BETWEEN_LABELS = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*", re.IGNORECASE)
NO_CHOICE = ("", "null", "none", "n/a")


def is_contradictory(reference: JsonValue, chosen: JsonValue, score: float, question: Question) -> bool:
    """Return True if the choices are the same and the score is 0, or if they differ and the score is 1.

    A reference that shares nothing with the question's own contradicts a score of 1, and a score of 0 for the right choice.
    Where several answers are accepted, the choice may differ from the one that the grader names as the reference.

    Args:
        reference: the choice that the question's reference names, as the grader writes it.
        chosen: the choice that the answer makes, as the grader writes it.
        score: the grader's.
        question: one of multiple choice.
    """
    if _is_no_choice(reference):
        return False
    theirs, ours = _read_labels(reference, question), _read_labels(chosen, question)
    right = [frozenset(labels) for labels in question.right if _is_numbered(theirs) == _is_numbered(frozenset(labels))]
    if theirs and right and not any(theirs & labels for labels in right) and (score == 1 or (score == 0 and ours in right)):
        return True
    if score == 0:
        return theirs == ours if theirs and ours else _fold(reference) == _fold(chosen)
    if score != 1 or not theirs or question.aliases:
        return False
    return _is_no_choice(chosen) or (bool(ours) and theirs != ours and _is_numbered(theirs) == _is_numbered(ours))


def _read_labels(choice: JsonValue, question: Question) -> frozenset[str]:
    """Return the labels that a choice names, as "b", "B) text", ["B"], "A and C", "AC" or its text alone; empty if none."""
    if isinstance(choice, list):
        return frozenset().union(*(_read_labels(part, question) for part in choice))
    text = _fold(choice)
    named = [label for label, own_text in question.choices.items() if _fold(own_text) == text]
    if len(named) == 1 and not BARE.fullmatch(text):
        return frozenset(named)
    whole = LABEL.fullmatch(text)
    labels = [whole] if whole else [LABEL.fullmatch(part) for part in BETWEEN_LABELS.split(text)]
    if all(labels):
        return frozenset(label[1].upper() for label in labels if label)
    joined = str(choice).strip()
    is_joined = len(set(joined)) == len(joined) and set(joined) <= question.choices.keys()
    return frozenset(joined) if is_joined else frozenset()


def _fold(choice: JsonValue) -> str:
    text = unicodedata.normalize("NFKC", str(choice)).strip(" \t\r\n.\"'`*")
    # A Cyrillic or Greek letter alone is the Latin one that looks like it.
    return (text.translate(LOOKALIKES) if len(text) == 1 else text).casefold()


def _is_no_choice(choice: JsonValue) -> bool:
    return choice is None or choice == [] or _fold(choice) in NO_CHOICE


def _is_numbered(labels: frozenset[str]) -> bool:
    return all(label.isdigit() for label in labels)
