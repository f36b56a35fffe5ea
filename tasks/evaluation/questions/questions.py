"""The questions of a run: read from the file once, selected, and found by position without being held in memory."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import orjson

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, from_line, to_line
from tasks.evaluation.questions.entries import Entry, read_entries
from tasks.evaluation.questions.file_notes import FileNotes
from tasks.evaluation.questions.files import QuestionFile, find_format
from tasks.evaluation.questions.findings import FileFindings, Findings, explain_refusal, list_findings
from tasks.evaluation.questions.groups import Clusters, Groups
from tasks.evaluation.questions.parts import cut_parts, place_parts
from tasks.evaluation.questions.selection import Places, Selection
from tasks.evaluation.storage.spool import Spool

Format = Literal["mc", "qa"]
Codes = np.ndarray[tuple[int], np.dtype[np.int64]]
QuestionFormat = Literal["auto", "mc", "qa"]


@dataclass(frozen=True)
class Question:
    """A question as it is asked, parsed once from its entry.

    Attributes:
        text: the question with its choices.
        reference: the right answer, as results show it.
        context: what it is asked with, empty unless the run wants that.
        format: mc (multiple choice) or qa (short answer).
        aliases: further answers that are as right as the reference, without it and without repeats.
        stem: the text without its choices.
        choices: the choices' texts by their labels, in order; empty for a short answer.
        right: the acceptable answers that name choices, each as its labels in order; empty for a short answer, or when no
            reference names a choice.
    """

    text: str
    reference: str
    context: str
    format: Format
    aliases: tuple[str, ...] = ()
    stem: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    right: tuple[tuple[str, ...], ...] = ()

    @property
    def wants_several(self) -> bool:
        """Return True if the reference names more than one choice."""
        return bool(self.right) and len(self.right[0]) > 1

    @property
    def allows_several(self) -> bool:
        """Return True if an answer may choose more than one choice and be right."""
        return any(len(labels) > 1 for labels in self.right)

    def to_json(self) -> JsonObject:
        """Return the question as the spool holds it."""
        return {**vars(self), **place_parts(self.text, self.stem, self.choices)}

    @classmethod
    def from_json(cls, stored: JsonObject) -> "Question":
        """Return the question that `to_json` wrote."""
        question = cls.__new__(cls)
        # Without `__init__`, which for a frozen class takes longer than all else here.
        lists = {"aliases": tuple(stored["aliases"]), "right": tuple(map(tuple, stored["right"]))}  # type: ignore[arg-type]
        vars(question).update(stored | cut_parts(stored) | lists)
        return question


class Questions:
    """The questions of a file, all or a selection, by position (0-based place in the selection).

    `findings` are what is wrong with the file, including the entries that are not selected, `notes` what is worth knowing about
    it, and `refusal` why no run can ask it, empty if one can. Memory: 12 bytes for each of the file's questions, however long,
    and 8 for each of a random sample.
    """

    def __init__(
        self,
        spool: Spool,
        places: Places,
        copies: np.ndarray[tuple[int], np.dtype[np.uint32]],
        found: FileFindings,
        groups: tuple[Groups, Clusters],
        *,
        has_metadata: bool,
    ) -> None:
        self._spool = spool
        self._places = places
        self._copies = copies
        self._has_metadata = has_metadata
        self.file_count = len(spool)
        self.findings, self.notes, self.refusal = found.findings, found.notes, found.refusal
        self._found = found
        self._groups, self._clusters = groups

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, position: int) -> Question | None:
        """Return the question at the position; None for an entry that cannot be asked."""
        return _unpack(self._spool.read(self._places[position]))

    def __iter__(self) -> Iterator[Question | None]:
        return map(_unpack, self._spool.stream(self._places))

    def why_unusable(self, position: int) -> str:
        """Return why the entry at the position cannot be asked; empty for one that can."""
        return str(self._read(position).get("error", ""))

    def metadata(self, position: int) -> JsonObject:
        """Return the fields that the result of the entry at the position carries along."""
        metadata = self._read(position).get("metadata") if self._has_metadata else None
        return metadata if isinstance(metadata, dict) else {}

    @property
    def group_names(self) -> list[str]:
        """Return the values by which the report is broken down; empty if it is not."""
        return list(self._groups.names)

    def groups_of(self, positions: Codes) -> Codes:
        """Return the group of each position, as its place in `group_names`."""
        return np.array(self._groups.codes, dtype=np.int64)[self._places_of(positions)]

    def clusters_of(self, positions: Codes) -> Codes | None:
        """Return the cluster of each position, as any number; None if there are no clusters."""
        if not self._clusters.is_used:
            return None
        return np.array(self._clusters.codes, dtype=np.int64)[self._places_of(positions)]

    def occurrence(self, position: int) -> int:
        """Return how many identical questions come before this one in the file."""
        return int(self._copies[self._places[position]])

    def select(self, selection: Selection) -> "Questions":
        """Return the questions that the selection takes, of the same temporary copy."""
        return self._at(selection.choose(self.file_count))

    def take(self, positions: Sequence[int]) -> "Questions":
        """Return the questions at these positions, of the same temporary copy."""
        return self._at(array("Q", (self._places[position] for position in positions)))

    def _at(self, places: Places) -> "Questions":
        groups = (self._groups, self._clusters)
        return Questions(self._spool, places, self._copies, self._found, groups, has_metadata=self._has_metadata)

    def close(self) -> None:
        """Free the disk's space."""
        self._spool.close()

    def _places_of(self, positions: Codes) -> Codes:
        return positions if isinstance(self._places, range) else np.array(self._places, dtype=np.int64)[positions]

    def _read(self, position: int) -> JsonObject:
        return from_line(self._spool.read(self._places[position]))


def read_questions(
    path: str,
    *,
    question_format: QuestionFormat,
    uses_context: bool,
    fields: Fields | None = None,
    has_grader: bool = False,
    folder: Path | None = None,
) -> Questions:
    """Return all questions of a file in any of the formats of files.py.

    Args:
        path: the file, UTF-8.
        question_format: mc or qa for all; auto decides question by question, by whether it offers choices.
        uses_context: whether the context is part of the question.
        fields: which field of a record is what; None: as they are usually called.
        has_grader: whether answers are graded by a model, which can do without a choice in the reference.
        folder: the folder for temporary copies; None: the system's temporary folder.

    Raises:
        UserMistake: the file cannot be read, is damaged, holds no question, or can be read in two ways.
    """
    fields, notes, has_metadata = fields or Fields(), FileNotes(), False
    file, findings = find_format(path, fields), Findings(has_grader=has_grader)
    groups, clusters = Groups(fields.group_by), Clusters(fields.cluster_by)
    with ExitStack() as on_failure:
        spool = on_failure.enter_context(closing(Spool(folder)))
        with spool.gathering():
            for place, entry in read_entries(file, fields, uses_context=uses_context, folder=folder, notes=notes):
                _refuse_ambiguous(entry, file, place)
                findings.add(place, entry)
                groups.add(entry.group)
                clusters.add(entry.cluster)
                spool.append(_pack(entry, question_format))
                has_metadata = has_metadata or bool(entry.metadata)
        found = list_findings(findings, notes, are_letters_meant=question_format == "qa")
        on_failure.pop_all()
    file_findings = FileFindings(found, tuple(notes.describe()), explain_refusal(found, file, findings.asked_count))
    places, copies = range(len(spool)), findings.count_copies().astype(np.uint32)
    return Questions(spool, places, copies, file_findings, (groups, clusters), has_metadata=has_metadata)


def _pack(entry: Entry, question_format: QuestionFormat) -> bytes:
    """Return what the spool holds of an entry, as JSON."""
    metadata: JsonObject = {"metadata": entry.metadata} if entry.metadata else {}
    if entry.fault:
        return to_line({"error": entry.reason, **metadata})
    packed = {"question": make_question(entry, question_format).to_json(), **metadata}
    if metadata:
        return to_line(packed)  # the file's own values, in which orjson would write small numbers otherwise
    try:
        return orjson.dumps(packed)
    except orjson.JSONEncodeError:  # half of a surrogate pair
        return to_line(packed)


def _unpack(line: bytes) -> Question | None:
    """Return the question of an entry from what `_pack` made of it; None for an entry that cannot be asked."""
    try:
        packed = orjson.loads(line)  # the question holds no number that orjson reads in a way of its own
    except orjson.JSONDecodeError:
        packed = from_line(line)
    stored = packed.get("question")
    return Question.from_json(stored) if isinstance(stored, dict) else None


def make_question(entry: Entry, question_format: QuestionFormat) -> Question:
    """Return the question of an entry that can be asked; `auto` makes it multiple choice if it offers choices."""
    chosen: Format = question_format if question_format != "auto" else "mc" if entry.choices else "qa"
    choices, right = (entry.choices, entry.right) if chosen == "mc" else ({}, ())
    return Question(entry.text, entry.reference, entry.context, chosen, entry.aliases, entry.stem, choices, right)


def _refuse_ambiguous(entry: Entry, file: QuestionFile, place: int) -> None:
    if entry.fault == "ambiguous_answer":
        raise UserMistake(
            f"{file.path}, {file.unit} {place:,}: {entry.reason}; say in the configuration which it is: "
            "`fields: {answer_is: number}` counts from 1, index from 0; letter and text are the others"
        )
