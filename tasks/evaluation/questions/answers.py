"""Which of a question's choices its answer names: by label, by number or index, by text, or in a sentence."""

import re
from collections.abc import Callable

from tasks.evaluation.config.fields import AnswerKind
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.choices_in_fields import OfferedChoices
from tasks.evaluation.questions.columns import LETTERS
from tasks.evaluation.questions.printed_values import as_text
from tasks.evaluation.questions.references import PLAIN_REFERENCE, read_reference

# An answer that names its choice by the field that holds it: `option_b`, `Option 2`, `opa`.
NAMED_FIELD = re.compile(r"(?:option|choice|opt|op|answer|ans)[\s_-]*\(?(?P<label>[a-z]|\d{1,2})\)?", re.IGNORECASE)


class AmbiguousAnswer(ValueError):
    """An answer that names one choice when it is read in one way, and another when it is read in another way."""


def find_right(answer: JsonValue, offer: OfferedChoices, kind: AnswerKind | None) -> list[int]:
    """Return the 0-based places of the choices that the answer names; empty if it names none.

    Raises:
        AmbiguousAnswer: without a kind, it can be read in two ways.
    """
    if kind == "flags":
        flags = answer if isinstance(answer, list) else []
        return [place for place, flag in enumerate(flags[: len(offer.texts)]) if as_text(flag) in ("1", "true")]
    answers = answer if isinstance(answer, list) else [answer]
    found = [_find_one(_as_plain(each), offer, kind) for each in answers]
    return sorted({place for places in found for place in places}) if all(found) else []


def _find_one(answer: str, offer: OfferedChoices, kind: AnswerKind | None) -> list[int]:
    if kind:
        return READINGS[kind](answer, offer) or (_by_reading(answer, offer) if kind == "letter" else [])
    if offer.labels and (places := _by_label(answer, offer)):
        return places
    found = {name: places for name, read in READINGS.items() if (places := read(answer, offer))}
    if len({places[0] for places in found.values()}) > 1:
        named = ", ".join(f"{LETTERS[places[0]]} as {name}" for name, places in found.items())
        raise AmbiguousAnswer(f"the answer {answer!r} is the choice {named}")
    return next(iter(found.values()), None) or _by_reading(answer, offer) or _by_field(answer, offer)


def _by_field(answer: str, offer: OfferedChoices) -> list[int]:
    named = NAMED_FIELD.fullmatch(answer)
    if named is None:
        return []
    return _by_label(named["label"], offer) or _by_number(named["label"], offer)


def _as_plain(answer: JsonValue) -> str:
    """Return the answer as text, a whole number without the `.0` that tables add to it."""
    return as_text(answer).strip().removesuffix(".0") if isinstance(answer, float | str) else as_text(answer)


def _by_label(answer: str, offer: OfferedChoices) -> list[int]:
    match = PLAIN_REFERENCE.fullmatch(answer)
    labels = [label.strip("().:") for label in offer.labels] or list(LETTERS[: len(offer.texts)])
    label = match["label"].upper() if match and not match["text"] else answer.upper()
    return [labels.index(label)] if label in labels else []


def _by_number(answer: str, offer: OfferedChoices, first: int = 1) -> list[int]:
    place = int(answer) - first if answer.isdecimal() else -1
    return [place] if 0 <= place < len(offer.texts) else []


def _by_index(answer: str, offer: OfferedChoices) -> list[int]:
    return _by_number(answer, offer, first=0)


def _by_text(answer: str, offer: OfferedChoices) -> list[int]:
    """Return the choice with this very text, else the one that differs only in case; the first of several equal ones."""
    exact = [place for place, text in enumerate(offer.texts) if text == answer]
    return (exact or [place for place, text in enumerate(offer.texts) if text.casefold() == answer.casefold()])[:1]


def _by_reading(answer: str, offer: OfferedChoices) -> list[int]:
    """Return the choices that a sentence names: "B) text", "The answer is B"."""
    letters = offer.labels or tuple(LETTERS[: len(offer.texts)])
    named = read_reference(answer, dict(zip(letters, offer.texts, strict=False))) if answer else ()
    return [letters.index(letter) for letter in named]


READINGS: dict[AnswerKind, Callable[[str, OfferedChoices], list[int]]] = {
    "letter": _by_label,
    "number": _by_number,
    "index": _by_index,
    "text": _by_text,
}
