"""Choices in fields of their own: read from the forms that data sets give them, matched with the answer, and lettered.

A question whose text holds its choices needs none of this. Here choices become lines below the question, lettered from A, and
the answer, however it names its choice, becomes the letter.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.choices_in_text import part_lines, read_option_text
from tasks.evaluation.questions.columns import LETTERS
from tasks.evaluation.questions.label_marks import find_marks
from tasks.evaluation.questions.labels import LABEL
from tasks.evaluation.questions.printed_values import as_text, parse_text

# The keys under which objects hold a choice, or all choices: the text, and the label or a flag that says if it is right.
TEXT_KEYS = ("text", "choices", "content", "value", "option_text", "answer", "option", "choice", "body")
LABEL_KEYS = ("label", "labels", "key", "letter", "id", "option_id", "identifier")
FLAG_KEYS = ("is_correct", "isCorrect", "is_right", "correct", "right")
# The names that objects give their choices: `A`, `opa`, `option1`, `(b)`.
CHOICE_KEY = re.compile(rf"(?:option|opt|op|choice|answer|ans)?[\s_-]*\(?({LABEL})\)?[.:]?", re.IGNORECASE)
# What separates choices without labels, the clearest first; a comma does only if the answer is one of the parts.
SEPARATORS = ("\n", "||", "|", ";", "\t")


@dataclass(frozen=True)
class OfferedChoices:
    """The choices of a question.

    `labels` are the choices' own, empty if they have none; `right` are the 0-based places of those that the choices
    themselves mark as right, None if they mark none.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()
    right: tuple[int, ...] | None = None


def read_offer(values: Sequence[JsonValue], answer: JsonValue = None) -> OfferedChoices | None:
    """Return the choices in the fields' values: in one value, or one in each; None if they are no choices.

    One value may be a list of texts, of pairs or of objects, an object from letters to texts or from texts to flags, or an
    object of two lists, of texts and of labels or flags. Empty values at the end are no choices.
    """
    if len(values) != 1:
        return OfferedChoices(_drop_empty_end([as_text(value).strip() for value in values]))
    value = parse_text(values[0])
    if isinstance(value, str):
        choices = read_option_text(value)
        return OfferedChoices(tuple(choices.values()), tuple(choices)) if choices else _split(value, as_text(answer).strip())
    has_answer = answer not in (None, "", [])
    if isinstance(value, dict):
        return _read_object(value, has_answer=has_answer)
    return _read_list(value, has_answer=has_answer) if isinstance(value, list) else None


def offer_wrong_answers(right: JsonValue, values: Sequence[JsonValue]) -> OfferedChoices | None:
    """Return the choices of a record that keeps its wrong answers apart from the right one; None if one of them is missing.

    Args:
        right: the right answer.
        values: the fields of the wrong ones: one list, or one answer in each.
    """
    lists = [parse_text(value) for value in values]
    if len(lists) == 1 and isinstance(lists[0], str):
        lists = [list(lists[0].split(";"))]
    wrong = [as_text(each).strip() for value in lists for each in (value if isinstance(value, list) else [value])]
    texts = [as_text(right).strip(), *filter(None, wrong)]
    return OfferedChoices(tuple(texts), right=(0,)) if texts[0] and len(texts) > 1 else None


def _split(text: str, answer: str) -> OfferedChoices | None:
    """Return the unlabelled choices in one text, None if nothing parts them."""
    for separator in (*SEPARATORS, ","):
        parts = [part.strip() for part in text.split(separator) if part.strip()]
        if len(parts) > 1 and (separator != "," or answer in parts):
            return OfferedChoices(tuple(parts))
    return None


def shuffle(offer: OfferedChoices, question: str) -> OfferedChoices:
    """Return the choices in the order of a digest of the question and each: the same in every run."""
    digests = [blake2b(f"{question}\0{text}".encode(errors="replace")).digest() for text in offer.texts]
    order = sorted(range(len(digests)), key=digests.__getitem__)
    right = None if offer.right is None else tuple(order.index(place) for place in offer.right)
    return OfferedChoices(tuple(offer.texts[place] for place in order), right=right)


def is_offered_by(question: str, offer: OfferedChoices) -> bool:
    """Return True if the question's text holds these very choices, in this order."""
    return all(text in question for text in offer.texts) and tuple(part_lines(question).choices.values()) == offer.texts


def compose(question: str, offer: OfferedChoices) -> str:
    """Return the question with its choices below it, one a line and lettered.

    A line break within a choice stays if the choices can still be told apart.
    """
    for texts in (list(offer.texts), [" ".join(text.split()) for text in offer.texts]):
        lines = [f"{letter}) {text}" for letter, text in zip(LETTERS, texts, strict=False)]
        composed = "\n".join([question.rstrip(), "", *lines])
        if list(part_lines(composed).choices.values()) == texts:
            break
    return composed


def are_choices(value: JsonValue) -> bool:
    """Return True if a value under a name that usually holds right answers holds choices: with flags, or by their labels."""
    if isinstance(value, dict):
        return len(value) > 1 and all(CHOICE_KEY.fullmatch(key) for key in value)
    items = value if isinstance(value, list) else []
    return len(items) > 1 and all(isinstance(item, dict) and any(key in item for key in FLAG_KEYS) for item in items)


def _read_object(value: dict[str, JsonValue], *, has_answer: bool) -> OfferedChoices | None:
    if value and all(isinstance(each, dict) and _first(each, TEXT_KEYS) is not None for each in value.values()):
        objects = [{"label": label, **each} for label, each in value.items() if isinstance(each, dict)]
        return _read_objects(objects, has_answer=has_answer)
    texts, flags = (_first_list(value, keys) for keys in (TEXT_KEYS, FLAG_KEYS))
    marks = _first_list(value, LABEL_KEYS)
    if texts is not None and flags is not None and len(texts) == len(flags):
        return _make_flagged(texts, flags)
    if texts is not None and marks is not None and len(texts) == len(marks):
        return _make_offer(texts, marks, may_be_flags=not (has_answer and marks == [0, 1]))
    given = {key: text for key, text in value.items() if text is not None}
    names = [CHOICE_KEY.fullmatch(key) for key in given]
    labels = [name[1].upper() for name in names if name]
    is_lettered = bool(given) and len(labels) == len(given) == len(set(labels))
    if given and all(flag in (0, 1) for flag in given.values()) and not (is_lettered and has_answer):
        return _make_offer(list(given), list(given.values()))
    return _make_offer(list(given.values()), labels, may_be_flags=False) if is_lettered else None


def _read_list(values: list[JsonValue], *, has_answer: bool) -> OfferedChoices | None:
    if values and all(isinstance(value, dict) for value in values):
        return _read_objects([value for value in values if isinstance(value, dict)], has_answer=has_answer)
    # Parquet returns a map from letters to texts as tuples.
    couples = [(value[0], value[1]) for value in values if isinstance(value, list | tuple) and len(value) == 2]
    if values and len(couples) == len(values):
        return _make_offer([text for _, text in couples], [label for label, _ in couples], may_be_flags=False)
    while values and values[-1] is None:
        values = values[:-1]
    texts = [as_text(value).strip() for value in values]
    return None if any(isinstance(value, list | dict) for value in values) else _strip_labels(texts)


def _read_objects(values: list[dict[str, JsonValue]], *, has_answer: bool) -> OfferedChoices | None:
    """Return the choices in a list of objects, one each: with a text and perhaps a label or a flag, or from label to text."""
    if all(len(value) == 1 and CHOICE_KEY.fullmatch(next(iter(value))) for value in values):
        return _read_object({key: text for value in values for key, text in value.items()}, has_answer=has_answer)
    texts = [_first(value, TEXT_KEYS) for value in values]
    if not any(as_text(text).strip() for text in texts):
        return None
    if any(key in value for value in values for key in FLAG_KEYS) and not has_answer:
        return _make_flagged(texts, [_first(value, FLAG_KEYS) for value in values])
    marks = [_first(value, LABEL_KEYS) for value in values]
    # Numbers under `id` count the choices; under `label` they may say which is right, if nothing else does.
    is_label = any(key in value for value in values for key in ("label", "labels"))
    return _make_offer(texts, marks, may_be_flags=is_label and not (has_answer and marks == [0, 1]))


def _make_flagged(texts: Sequence[JsonValue], flags: Sequence[JsonValue]) -> OfferedChoices:
    right = [place for place, flag in enumerate(flags) if as_text(flag).lower() in ("1", "true", "yes")]
    return OfferedChoices(tuple(as_text(text).strip() for text in texts), right=tuple(right))


def _make_offer(texts: Sequence[JsonValue], marks: Sequence[JsonValue], *, may_be_flags: bool = True) -> OfferedChoices:
    """Return the choices with labels, or with flags if all marks are the numbers 0 or 1."""
    shown = tuple(as_text(text).strip() for text in texts)
    if may_be_flags and marks and all(isinstance(mark, int) and mark in (0, 1) for mark in marks):
        return OfferedChoices(shown, right=tuple(place for place, mark in enumerate(marks) if mark))
    labels = tuple(as_text(mark).strip().upper() for mark in marks)
    return OfferedChoices(shown, labels if all(labels) and len(set(labels)) == len(labels) else ())


def _strip_labels(texts: list[str]) -> OfferedChoices:
    """Return the choices without the labels that they begin with, if all do, from A or 1 on: "A) yes", "B) no"."""
    marks = [next((mark for mark in find_marks(text, "line") if mark.start == 0), None) for text in texts]
    labels = tuple(mark.label for mark in marks if mark)
    series = (LETTERS[: len(texts)], [str(n + 1) for n in range(len(texts))])
    # In whatever order: the answer names them by these.
    if len(labels) == len(texts) > 1 and sorted(labels) in map(sorted, series):
        return OfferedChoices(tuple(text[mark.end :].strip() for text, mark in zip(texts, marks, strict=True) if mark), labels)
    return OfferedChoices(tuple(texts))


def _drop_empty_end(texts: list[str]) -> tuple[str, ...]:
    while texts and not texts[-1]:
        texts = texts[:-1]
    return tuple(texts)


def _first(value: dict[str, JsonValue], keys: Sequence[str]) -> JsonValue:
    return next((value[key] for key in keys if key in value), None)


def _first_list(value: dict[str, JsonValue], keys: Sequence[str]) -> list[JsonValue] | None:
    found = _first(value, keys)
    return found if isinstance(found, list) else None
