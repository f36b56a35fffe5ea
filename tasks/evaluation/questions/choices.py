"""Choices that stand in fields of their own: read from the forms that data sets give them, matched with the answer, lettered.

A question whose choices stand in its text needs none of this. Here choices become lines below the question, lettered from A,
and the answer, however it names its choice, becomes the letter.
"""

import ast
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import isfinite

from tasks.evaluation.config.fields import AnswerKind
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.choice_lines import CHOICE_LINE, part_lines, read_option_text
from tasks.evaluation.questions.columns import LETTERS
from tasks.evaluation.questions.references import PLAIN_REFERENCE, read_reference

# The keys under which objects hold a choice, or all choices: its text, and its label or a flag whether it is right.
TEXT_KEYS = ("text", "choices", "content", "value")
LABEL_KEYS = ("label", "labels", "key", "letter", "id")


class AmbiguousAnswer(ValueError):
    """An answer that names one choice when it is read in one way, and another when it is read in another way."""


@dataclass(frozen=True)
class Offer:
    """The choices of a question.

    `labels` are the choices' own, empty where they have none; `right` are the 0-based places of those that the choices
    themselves mark as right, None where they mark none.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    right: tuple[int, ...] | None = None


def as_text(value: JsonValue) -> str:
    """A field as text: a number or a date as it is written, a truth value as true or false; empty for what is none of these."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, list | tuple | dict | bytes) or (isinstance(value, float) and not isfinite(value)):
        return ""
    return str(value)


def parse_text(value: JsonValue) -> JsonValue:
    """The list or object that a text holds, as JSON or as Python writes it, for tables have no lists; else the value itself."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed: JsonValue = parse(value.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list | dict):
            return parsed
    return value


def read_offer(values: Sequence[JsonValue]) -> Offer | None:
    """The choices in the fields' values: in one value, or one in each; None when they are no choices.

    One value may be a list of texts, of pairs or of objects, an object from letters to texts or from texts to flags, or an
    object of two lists, of texts and of labels or flags. Empty values at the end are no choices.
    """
    if len(values) != 1:
        return Offer(_drop_empty_end([as_text(value).strip() for value in values]))
    value = parse_text(values[0])
    if isinstance(value, str):
        choices = read_option_text(value)
        return Offer(tuple(choices.values()), tuple(choices)) if choices else None
    if isinstance(value, dict):
        return _read_object(value)
    return _read_list(value) if isinstance(value, list) else None


def shuffle(offer: Offer, question: str) -> Offer:
    """The choices in the order of a digest of the question and each: the same in every run, and nobody's habit."""
    digests = [blake2b(f"{question}\0{text}".encode(errors="replace")).digest() for text in offer.texts]
    order = sorted(range(len(digests)), key=digests.__getitem__)
    right = None if offer.right is None else tuple(order.index(place) for place in offer.right)
    return Offer(tuple(offer.texts[place] for place in order), right=right)


def is_offered_by(question: str, offer: Offer) -> bool:
    """Whether the question's text holds these very choices, in this order."""
    return all(text in question for text in offer.texts) and tuple(part_lines(question).choices.values()) == offer.texts


def find_right(answer: JsonValue, offer: Offer, kind: AnswerKind | None) -> list[int]:
    """The 0-based places of the choices that the answer names, none when it names none of them.

    Raises:
        AmbiguousAnswer: without a kind, it can be read in two ways.
    """
    if kind == "flags":
        flags = answer if isinstance(answer, list) else []
        return [place for place, flag in enumerate(flags[: len(offer.texts)]) if as_text(flag) in ("1", "true")]
    answers = answer if isinstance(answer, list) else [answer]
    found = [_find_one(_as_plain(each), offer, kind) for each in answers]
    return sorted({place for places in found for place in places}) if all(found) else []


def compose(question: str, offer: Offer) -> str:
    """Return the question with its choices below it, one a line and lettered.

    A line break within a choice stays where the choices can still be told apart.
    """
    for texts in (list(offer.texts), [" ".join(text.split()) for text in offer.texts]):
        lines = [f"{letter}) {text}" for letter, text in zip(LETTERS, texts, strict=False)]
        composed = "\n".join([question.rstrip(), "", *lines])
        if list(part_lines(composed).choices.values()) == texts:
            break
    return composed


def _read_object(value: dict[str, JsonValue]) -> Offer | None:
    texts, marks = (_first_list(value, keys) for keys in (TEXT_KEYS, LABEL_KEYS))
    if texts is not None and marks is not None and len(texts) == len(marks):
        return _make_offer(texts, marks)
    given = {key: text for key, text in value.items() if text is not None}
    if given and all(flag in (0, 1) for flag in given.values()):
        return _make_offer(list(given), list(given.values()))
    is_lettered = bool(given) and all(len(key) == 1 or key.isdigit() for key in given)
    return _make_offer(list(given.values()), list(given)) if is_lettered else None


def _read_list(values: list[JsonValue]) -> Offer | None:
    if values and all(isinstance(value, dict) for value in values):
        pairs = [(_first(value, TEXT_KEYS), _first(value, LABEL_KEYS)) for value in values if isinstance(value, dict)]
        return _make_offer([text for text, _ in pairs], [label for _, label in pairs])
    # Parquet has letters and texts as tuples, where they are a map.
    couples = [(value[0], value[1]) for value in values if isinstance(value, list | tuple) and len(value) == 2]
    if values and len(couples) == len(values):
        return _make_offer([text for _, text in couples], [label for label, _ in couples])
    while values and values[-1] is None:
        values = values[:-1]
    return _strip_labels([as_text(value).strip() for value in values])


def _make_offer(texts: Sequence[JsonValue], marks: Sequence[JsonValue]) -> Offer:
    """The choices with labels, or with flags where all marks are 0 or 1 and the numbers themselves."""
    shown = tuple(as_text(text).strip() for text in texts)
    if marks and all(isinstance(mark, int) and mark in (0, 1) for mark in marks):
        return Offer(shown, right=tuple(place for place, mark in enumerate(marks) if mark))
    labels = tuple(as_text(mark).strip().upper() for mark in marks)
    return Offer(shown, labels if all(labels) and len(set(labels)) == len(labels) else ())


def _strip_labels(texts: list[str]) -> Offer:
    """The choices without the labels that they begin with, where all do, from A or 1 on: "A) yes", "B) no"."""
    matches = [CHOICE_LINE.match(text) for text in texts]
    labels = tuple(match[1].upper() for match in matches if match)
    if len(texts) > 1 and labels in (tuple(LETTERS[: len(texts)]), tuple(str(n + 1) for n in range(len(texts)))):
        return Offer(tuple(text[match.start(2) :].strip() for text, match in zip(texts, matches, strict=True) if match), labels)
    return Offer(tuple(texts))


def _find_one(answer: str, offer: Offer, kind: AnswerKind | None) -> list[int]:
    if kind:
        return READINGS[kind](answer, offer) or (_by_reading(answer, offer) if kind == "letter" else [])
    if offer.labels and (places := _by_label(answer, offer)):
        return places
    found = {name: places for name, read in READINGS.items() if (places := read(answer, offer))}
    if len({places[0] for places in found.values()}) > 1:
        named = ", ".join(f"{LETTERS[places[0]]} as {name}" for name, places in found.items())
        raise AmbiguousAnswer(f"the answer {answer!r} is the choice {named}")
    return next(iter(found.values()), None) or _by_reading(answer, offer)


def _as_plain(answer: JsonValue) -> str:
    """The answer as text; a whole number without the `.0` that tables give it."""
    return as_text(answer).strip().removesuffix(".0") if isinstance(answer, float | str) else as_text(answer)


def _by_label(answer: str, offer: Offer) -> list[int]:
    match = PLAIN_REFERENCE.fullmatch(answer)
    labels = [label.strip("().:") for label in offer.labels] or list(LETTERS[: len(offer.texts)])
    label = match["label"].upper() if match and not match["text"] else answer.upper()
    return [labels.index(label)] if label in labels else []


def _by_number(answer: str, offer: Offer, first: int = 1) -> list[int]:
    place = int(answer) - first if answer.isdecimal() else -1
    return [place] if 0 <= place < len(offer.texts) else []


def _by_index(answer: str, offer: Offer) -> list[int]:
    return _by_number(answer, offer, first=0)


def _by_text(answer: str, offer: Offer) -> list[int]:
    """The choice with this very text, else in another case of letters; of several alike the first."""
    exact = [place for place, text in enumerate(offer.texts) if text == answer]
    return (exact or [place for place, text in enumerate(offer.texts) if text.casefold() == answer.casefold()])[:1]


def _by_reading(answer: str, offer: Offer) -> list[int]:
    """The choices that a sentence names: "B) text", "The answer is B"."""
    letters = offer.labels or tuple(LETTERS[: len(offer.texts)])
    named = read_reference(answer, dict(zip(letters, offer.texts, strict=False))) if answer else ()
    return [letters.index(letter) for letter in named]


READINGS: dict[AnswerKind, Callable[[str, Offer], list[int]]] = {
    "letter": _by_label,
    "number": _by_number,
    "index": _by_index,
    "text": _by_text,
}


def _drop_empty_end(texts: list[str]) -> tuple[str, ...]:
    while texts and not texts[-1]:
        texts = texts[:-1]
    return tuple(texts)


def _first(value: dict[str, JsonValue], keys: Sequence[str]) -> JsonValue:
    return next((value[key] for key in keys if key in value), None)


def _first_list(value: dict[str, JsonValue], keys: Sequence[str]) -> list[JsonValue] | None:
    found = _first(value, keys)
    return found if isinstance(found, list) else None
