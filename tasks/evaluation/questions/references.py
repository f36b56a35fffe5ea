"""The choices that a reference answer names."""

import re
from collections.abc import Iterable, Mapping
from unicodedata import normalize

from tasks.evaluation.extraction.choice_marks import mark_choices
from tasks.evaluation.extraction.choices import part_labels, read_decision
from tasks.evaluation.extraction.final_answers import read_reference_answer
from tasks.evaluation.extraction.marks import NAMED
from tasks.evaluation.extraction.plain_text import fold
from tasks.evaluation.questions.labels import LETTER_CLASS, normalize_label

# The way in which nearly all references are written, tried before all else: "B", "(B)", "B) text", "B. text".
PLAIN_REFERENCE = re.compile(r"\(?(?P<label>[A-Za-z]|\d{1,2})(?:[).:]\s*(?P<text>.*))?", re.DOTALL)
OR = re.compile(r"\s+(?:or|oder|ou|или)\s+|或", re.IGNORECASE)
# Several labels as one word: "AC".
SEVERAL = re.compile(rf"[{LETTER_CLASS}]{{2,}}|[①-⑳]{{2,}}")


def read_reference(reference: str, choices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels that a reference answer names, in order; empty if it names no choice.

    It may give a label, a label with its text, a sentence, or one choice's whole text.
    """
    plain = PLAIN_REFERENCE.fullmatch(reference.strip())
    if plain and plain["label"].upper() in choices and (plain["text"] or "") in {"", choices[plain["label"].upper()]}:
        return (plain["label"].upper(),)
    exact = normalize_label(reference)
    if exact in choices:
        return (exact,)
    labels = [label for label, text in choices.items() if text and fold(text) == fold(reference)]
    if len(labels) == 1 and reference.strip().upper() not in choices:
        return (labels[0],)
    if several := _read_several(reference, choices):
        return several
    marked = mark_choices(part_labels(reference, choices), choices) if choices else ""
    places = (read_decision(marked) if re.search(NAMED, marked) else None) or []
    return tuple(list(choices)[place] for place in places) or _read_plainer(reference, choices)


def read_alternatives(answers: Iterable[str], choices: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the acceptable answers that name choices, each as its labels; "A or D" is two, each right by itself."""
    named: list[tuple[str, ...]] = []
    for answer in answers:
        parts = OR.split(answer)
        labels = [normalize_label(part.strip()) for part in parts] if len(parts) > 1 else []
        is_either = bool(labels) and all(label in choices for label in labels)
        named += [(label,) for label in labels] if is_either else [read_reference(answer, choices)]
    return tuple(dict.fromkeys(labels for labels in named if labels))


def _read_plainer(reference: str, choices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels in the final answer of a reference that is a whole solution, or that has full-width signs."""
    plainer = (read_reference_answer(reference), normalize("NFKC", reference))
    named = (read_reference(each, choices) for each in plainer if each and each.strip() != reference.strip())
    return next(filter(None, named), ())


def _read_several(reference: str, choices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels of a reference that names several as one word, "AC"; empty for any other, or for an actual word."""
    if not SEVERAL.fullmatch(reference.strip()) or reference.strip().islower():
        return ()
    named = [normalize_label(letter) for letter in reference.strip()]
    is_several = all(label in choices for label in named) and named == sorted(set(named), key=list(choices).index)
    return tuple(named) if is_several else ()
