"""What a record of a question file says: its question as it is asked, the right answer, and what it carries along.

A record whose question's text holds the choices, or that has none, is taken as it is. Choices in fields of their own become
lettered lines below the question, and the answer becomes the letter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.answers import AmbiguousAnswer, find_right
from tasks.evaluation.questions.choices_in_fields import (
    OfferedChoices,
    are_choices,
    compose,
    is_offered_by,
    offer_wrong_answers,
    read_offer,
    shuffle,
)
from tasks.evaluation.questions.choices_in_text import (
    CHOICE_LINE,
    LabelledText,
    counts_from_zero,
    looks_like_choices,
    part_question,
)
from tasks.evaluation.questions.columns import LETTERS, Columns, find_columns, read_field, refuse_unknown_fields
from tasks.evaluation.questions.file_notes import FileNotes
from tasks.evaluation.questions.files import QuestionFile
from tasks.evaluation.questions.nesting import unfold
from tasks.evaluation.questions.printed_values import as_text, make_plain, parse_text
from tasks.evaluation.questions.record_answers import read_answers, read_single_answer
from tasks.evaluation.questions.references import PLAIN_REFERENCE, read_alternatives

Fault = Literal[
    "no_question", "no_answer", "one_choice", "too_many_choices", "unreadable_choices", "answer_outside", "ambiguous_answer"
]
SHOWN_KEYS = 30
MISSING = "Missing question or answer"
UNREADABLE = "It looks like choices that cannot be read"


@dataclass(frozen=True)
class Entry:
    """A record as it is understood.

    `aliases` are further answers that are as right as the reference. `stem` is the text without its choices, `choices` are
    their texts by the labels that the text has them under, empty for a short answer. `right` are the acceptable answers that
    name choices, each as its labels in order. `fault` keeps the entry from being asked, and `reason` says so in words.
    `metadata` are the fields that results carry along, `group` is the group that the report counts it in, and `cluster` names
    what it shares with other entries, empty for nothing.
    """

    text: str = ""
    reference: str = ""
    aliases: tuple[str, ...] = ()
    context: str = ""
    stem: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    right: tuple[tuple[str, ...], ...] = ()
    fault: Fault | None = None
    reason: str = ""
    metadata: JsonObject = field(default_factory=dict)
    group: str = ""
    cluster: str = ""


def read_entries(
    file: QuestionFile, fields: Fields, *, uses_context: bool, folder: Path | None = None, notes: FileNotes | None = None
) -> Iterator[tuple[int, Entry]]:
    """Yield each entry of the file with its place; `notes` take what is worth knowing about the file.

    Raises:
        UserMistake: the file cannot be read, or is damaged; after its last entry, that it holds no question, or lacks a field
            that the settings name.
    """
    notes = notes or FileNotes()
    reader, count, has_question = EntryReader(fields, notes), 0, False
    records = file.read(folder, notes.of_format)
    entries = ((place, entry) for place, record in records for entry in unfold(record, fields, reader.find_columns))
    for count, (place, record) in enumerate(entries, start=1):  # noqa: B007 - used below
        entry = reader.read(record, uses_context=uses_context)
        has_question = has_question or entry.fault != "no_question"
        yield place, entry
    if not count:
        raise UserMistake(f"the questions file {file.path} holds no questions")
    refuse_unknown_fields(file.path, sorted(reader.unseen), reader.keys)
    if not has_question and reader.keys:
        sought = f"words in its field {reader.question_field!r}" if reader.question_field else "a field `question`"
        raise UserMistake(
            f"the questions file {file.path} holds no questions: no entry has {sought}; the first has the fields "
            f"{', '.join(map(repr, reader.keys[:SHOWN_KEYS]))}; name the right one in the configuration: "
            "`fields: {question: NAME}`"
        )


class EntryReader:
    """Reads the records of one file.

    `unseen` are the fields that the settings name and no record has had so far, `keys` those of the first record, and
    `question_field` is the one that its question is read from. `find_columns` returns what the fields with these keys are.
    """

    def __init__(self, fields: Fields, notes: FileNotes | None = None) -> None:
        self.unseen = set(fields.named)
        self.keys: list[str] = []
        self.question_field: str | None = None
        self._notes = notes or FileNotes()
        self._fields = fields
        self._named_otherwise = frozenset(
            name for name in (fields.group_by, fields.cluster_by, *(fields.carried or [])) if name
        )
        # The records of a file all have the same keys, or one of a few sets of keys.
        self.find_columns = lru_cache(maxsize=256)(lambda keys: find_columns(fields, keys))

    def read(self, record: JsonValue, *, uses_context: bool) -> Entry:
        """Return the record as an entry, without its context unless that is used; one that cannot be asked has a fault."""
        if isinstance(record, list) and self._fields.columns and len(record) <= len(self._fields.columns):
            record = dict(zip(self._fields.columns, record, strict=False))
        if not isinstance(record, dict):
            return Entry(fault="no_question", reason=MISSING)
        self.keys = self.keys or list(record)
        if self.unseen:
            self.unseen -= {name for name in self.unseen if name in record or read_field(record, name) is not None}
        columns = _find_hidden_choices(record, self.find_columns(tuple(record)))
        self.question_field = self.question_field or columns.question
        known = (columns.used - {columns.context}) | self._named_otherwise
        self._notes.add_record(record, columns.context, uses_context=uses_context, known=known)
        text = as_text(read_field(record, columns.question))
        metadata = self._read_metadata(record, columns)
        if not text.strip():
            return Entry(fault="no_question", reason=MISSING, metadata=metadata)
        offer = self._read_offer(record, columns)
        if offer is None and part_question(text).choices:
            offer = OfferedChoices(())  # the text holds them as well, in a form that can be read
        if offer is None or (offer.texts and not any(offer.texts)):
            return Entry(text, fault="unreadable_choices", reason=UNREADABLE, metadata=metadata)
        read = self._read_offered(record, columns, text, offer) if offer.texts else _read_plain(record, columns, text)
        context = _read_context(record, columns) if uses_context else ""
        if not read.fault:
            self._notes.add_labels(read.right[0] if read.right else (), "" if read.choices else read.reference)
        names = self._fields.group_by, self._fields.cluster_by
        if not (context or metadata or any(names)):
            return read
        group, cluster = (as_text(read_field(record, name)).strip() for name in names)
        return replace(read, context=context, metadata=metadata, group=group, cluster=cluster)

    def _read_offer(self, record: JsonObject, columns: Columns) -> OfferedChoices | None:
        """Return the choices in fields of their own, without texts if it has no such fields; None for an unknown form."""
        if self._fields.fixed_choices:
            return OfferedChoices(tuple(self._fields.fixed_choices))
        if columns.wrong:
            right = read_field(record, columns.answer)
            return offer_wrong_answers(right, [read_field(record, name) for name in columns.wrong]) or OfferedChoices(())
        values = [read_field(record, name) for name in columns.choices]
        if all(value in (None, "", []) or isinstance(value, int | float) for value in values) and len(values) < 2:
            return OfferedChoices(())
        if all(value is None or value == "" for value in values):
            return OfferedChoices(())
        return read_offer(values, read_single_answer(record, columns))

    def _read_offered(self, record: JsonObject, columns: Columns, text: str, offer: OfferedChoices) -> Entry:
        """Return the question with lettered choices below it, and the right one's letter."""
        count = len(offer.texts)
        if count == 1 or count > len(LETTERS):
            return Entry(text, fault="one_choice" if count == 1 else "too_many_choices", reason=_describe_count(count))
        answer = read_single_answer(record, columns)
        try:
            right = offer.right if answer is None or columns.wrong else tuple(find_right(answer, offer, self._fields.answer_is))
        except AmbiguousAnswer as error:
            return Entry(text, fault="ambiguous_answer", reason=str(error))
        if not right:
            reason = f"The answer {str(answer)[:60]!r} names none of the question's choices"
            is_missing = answer is None
            return Entry(text, fault="no_answer" if is_missing else "answer_outside", reason=MISSING if is_missing else reason)
        return self._letter(text, replace(offer, right=right), is_flagged=offer.right is not None)

    def _letter(self, text: str, offer: OfferedChoices, *, is_flagged: bool) -> Entry:
        if not is_offered_by(text, offer):
            offer = shuffle(offer, text) if self._is_shuffled(is_flagged=is_flagged) else offer
            stem, text = text, compose(text, offer)
            parted = LabelledText(stem.rstrip(), dict(zip(LETTERS, offer.texts, strict=False)))
        else:
            parted = part_question(text)
        labels = list(parted.choices)
        right = tuple(labels[place] for place in sorted(offer.right or ()))
        return Entry(text, ", ".join(right), stem=parted.stem, choices=parted.choices, right=(right,))

    def _is_shuffled(self, *, is_flagged: bool) -> bool:
        asked_for = self._fields.shuffle_choices
        return asked_for if isinstance(asked_for, bool) else is_flagged or self._fields.answer_is == "flags"

    def _read_metadata(self, record: JsonObject, columns: Columns) -> JsonObject:
        wanted = self._fields.carried
        names = (name for name in record if (name not in columns.used if wanted is None else name in wanted))
        kept = self._notes.keep_metadata({name: record[name] for name in names if name}, is_wanted=wanted is not None)
        values = ((name, make_plain(value)) for name, value in kept.items())
        return {name: value for name, value in values if value is not None and value != ""}


def _find_hidden_choices(record: JsonObject, columns: Columns) -> Columns:
    """Return the roles of the fields, with the field of several right answers as the choices if it holds those."""
    if columns.choices or columns.aliases is None or columns.wrong:
        return columns
    value = parse_text(read_field(record, columns.aliases))
    is_list = isinstance(value, list) and len(value) > 1 and not any(isinstance(each, dict) for each in value)
    if not are_choices(value) and not (is_list and columns.mark and isinstance(record[columns.mark], int)):
        return columns
    return replace(columns, choices=(columns.aliases,), aliases=None, answer=columns.answer or columns.mark)


def _read_plain(record: JsonObject, columns: Columns, text: str) -> Entry:
    """Return the question as it stands, with the choices that its text offers."""
    answers = read_answers(record, columns)
    if not answers:
        return Entry(text, fault="no_answer", reason=MISSING)
    parted = part_question(text, answers)
    if counts_from_zero(text, parted.choices) or (not parted.choices and looks_like_choices(text, answers[0])):
        return Entry(text, answers[0], fault="unreadable_choices", reason=UNREADABLE)
    if not parted.choices and _offers_one(text, answers[0]):
        return Entry(text, answers[0], fault="one_choice", reason=_describe_count(1))
    right = read_alternatives(answers, parted.choices) if parted.choices else ()
    return Entry(text, answers[0], tuple(answers[1:]), stem=parted.stem, choices=parted.choices, right=right)


def _offers_one(text: str, reference: str) -> bool:
    """Return True if the text ends in a single choice, A, and the reference names it."""
    plain = PLAIN_REFERENCE.fullmatch(reference.strip())
    if not plain or plain["label"].upper() != "A":
        return False
    labels = [match for match in CHOICE_LINE.finditer(text) if match[1].isalpha()]
    return len(labels) == 1 and labels[0][1].upper() == "A" and bool(text[: labels[0].start()].strip())


def _describe_count(count: int) -> str:
    return f"It offers {count} choice{'s' * (count > 1)}; 2 to {len(LETTERS)} can be asked"


def _read_context(record: JsonObject, columns: Columns) -> str:
    """Return the context as text; the paragraphs of a list one below the other."""
    value = read_field(record, columns.context)
    return "\n\n".join(map(as_text, value)) if isinstance(value, list) else as_text(value)
