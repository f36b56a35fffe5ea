"""What is wrong with a file of questions: entries that cannot be asked, and those that can and are worth a look."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.copies import Counts, count_copies
from tasks.evaluation.questions.entries import Entry, Fault
from tasks.evaluation.questions.file_notes import FileNotes
from tasks.evaluation.questions.files import QuestionFile, Unit

Note = Literal["unclear_answer", "empty_choice", "duplicate_choices", "duplicate", "contradiction"]

Kind = Fault | Note
FAULTS: tuple[Fault, ...] = get_args(Fault)

# Those before `unclear_answer` keep an entry from being asked.
WORDS: dict[Kind, str] = {
    "no_question": "no question",
    "no_answer": "no answer",
    "answer_outside": "an answer that is none of the choices",
    "ambiguous_answer": "an answer that can be read in two ways (set fields.answer_is)",
    "one_choice": "one choice only",
    "too_many_choices": "more than 26 choices",
    "unreadable_choices": "looks like choices that cannot be read",
    "unclear_answer": "an answer that names none of the choices (asked with a grader only)",
    "empty_choice": "an empty choice",
    "duplicate_choices": "the same choice twice",
    "duplicate": "the same question again, with the same answer",
    "contradiction": "the same question again, with another answer",
}
# For these kinds, the first entry's own reason says more than the kind.
EXPLAINED: tuple[Kind, ...] = ("answer_outside", "ambiguous_answer")
SHOWN_PLACES = 5
# Of a text's hash, as many bits are kept; it has a sign.
LARGEST_DIGEST = 2**64 - 1

Places = np.ndarray[tuple[int], np.dtype[np.uint64]]


@dataclass(frozen=True)
class Finding:
    """One kind of thing that is wrong: how many entries have it, the places of the first ones, and the first one's reason."""

    kind: Kind
    count: int
    places: tuple[int, ...]
    stops: bool
    example: str = ""

    def to_json(self) -> JsonObject:
        """Return the finding as programs read it."""
        return {**vars(self), "places": list(self.places)}

    def describe(self, unit: Unit) -> str:
        """Return the finding as people read it."""
        plural = unit[:-1] + "ies" if unit.endswith("y") else unit + "s"
        shown = ", ".join(f"{place:,}" for place in self.places) + (", …" if self.count > len(self.places) else "")
        example = f"; the first: {self.example}" if self.example else ""
        return f"{WORDS[self.kind]}: {self.count:,} ({unit if self.count == 1 else plural} {shown}){example}"


@dataclass(frozen=True)
class FileFindings:
    """What was found in a file.

    Attributes:
        findings: what is wrong with its entries.
        notes: what is worth knowing about it.
        refusal: why no run can ask it; empty if one can.
    """

    findings: list[Finding]
    notes: tuple[str, ...]
    refusal: str


def explain_refusal(findings: Sequence[Finding], file: QuestionFile, asked_count: int) -> str:
    """Return why no run can ask the file: its choices cannot be read, or none of its entries can be asked; else empty."""
    unread = next((finding for finding in findings if finding.kind == "unreadable_choices"), None)
    if unread:
        return (
            f"{file.path}: {unread.describe(file.unit)}; label them with A), B), C) in the question, hold them in a list or in "
            "columns, and name these in the configuration: `fields: {choices: NAME}`"
        )
    if not asked_count:
        faults = "; ".join(finding.describe(file.unit) for finding in findings if finding.stops)
        return f"no entry of the questions file {file.path} can be asked: {faults}"
    return ""


def list_findings(found: "Findings", notes: FileNotes, *, are_letters_meant: bool) -> list[Finding]:
    """Return all findings about a file's entries; short answers that are all letters are choices whose texts were not found."""
    findings = found.list_all()
    if are_letters_meant or not notes.are_all_letters:
        return findings
    example = "all answers are single letters, and no question offers choices (question_format: qa asks for letters)"
    places = tuple(range(1, min(notes.short_answers, SHOWN_PLACES) + 1))
    return [Finding("unreadable_choices", notes.short_answers, places, stops=True, example=example), *findings]


def summarize(findings: Sequence[Finding], path: str, notes: Sequence[str] = ()) -> list[str]:
    """Return a line for the findings that stop entries, one for the others, both without places, and the file's notes."""
    lines = []
    for stops, verdict in ((True, "cannot be asked"), (False, "asked, and worth a look")):
        counts = [f"{WORDS[finding.kind]}: {finding.count:,}" for finding in findings if finding.stops == stops]
        lines += [f"⚠️ {path}: {verdict}: {', '.join(counts)}"] if counts else []
    where = [f"   Where: mcqa questions check {path}"] if lines else []
    return [*lines, *where, *(f"⚠️ {path}: {note}" for note in notes)]


class Findings:
    """Gathers what is wrong, entry by entry; `asked_count` entries can be asked. Memory: 25 bytes an entry."""

    def __init__(self, *, has_grader: bool) -> None:
        self._has_grader = has_grader
        self._places = array("Q")
        self._questions = array("Q")
        self._answers = array("Q")
        self._is_asked = array("b")
        self._counts: Counter[Kind] = Counter()
        self._first_places: dict[Kind, list[int]] = {}
        self._examples: dict[Kind, str] = {}
        self.asked_count = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: int, entry: Entry) -> list[Kind]:
        """Look at the entry at this place; return what is wrong with it by itself."""
        self._places.append(place)
        self._questions.append(_digest("" if entry.fault else f"{entry.text}\0{entry.context}"))
        self._answers.append(_digest(entry.reference))
        self._is_asked.append(entry.fault is None)
        kinds: list[Kind] = [entry.fault] if entry.fault else _note(entry)
        self.asked_count += not any(map(self.stops, kinds))
        for kind in kinds:
            self._counts[kind] += 1
            if self._counts[kind] <= SHOWN_PLACES:
                self._first_places.setdefault(kind, []).append(place)
                self._examples.setdefault(kind, entry.reason if kind in EXPLAINED else "")
        return kinds

    def stops(self, kind: Kind) -> bool:
        """Return True if this keeps an entry from being asked."""
        return kind in FAULTS or (kind == "unclear_answer" and not self._has_grader)

    def count_copies(self) -> Counts:
        """Return for each entry that can be asked how many with the same words come before it."""
        questions = np.frombuffer(self._questions, dtype=np.uint64)
        return count_copies(questions, np.argsort(questions, kind="stable"))

    def list_all(self) -> list[Finding]:
        """Return all findings, beginning with those that keep entries from being asked."""
        found = [
            Finding(kind, self._counts[kind], tuple(self._first_places[kind]), self.stops(kind), self._examples[kind])
            for kind in WORDS
            if self._counts[kind]
        ]
        return found + self._list_copies()

    def _list_copies(self) -> list[Finding]:
        """Return findings about questions that are in the file more than once."""
        is_asked = np.frombuffer(self._is_asked, dtype=np.bool_)
        columns = (self._places, self._questions, self._answers)
        places, questions, answers = (np.frombuffer(column, dtype=np.uint64)[is_asked] for column in columns)
        _, first_of_each, numbers = np.unique(questions, return_index=True, return_inverse=True)
        firsts = first_of_each[numbers]
        is_copy, differs = firsts != np.arange(len(questions)), answers != answers[firsts]
        kinds: dict[Kind, Places] = {"duplicate": places[is_copy & ~differs], "contradiction": places[is_copy & differs]}
        return [
            Finding(kind, len(found), tuple(int(place) for place in found[:SHOWN_PLACES]), stops=False)
            for kind, found in kinds.items()
            if len(found)
        ]


def _note(entry: Entry) -> list[Kind]:
    """Return what is worth a look in an entry that can be asked."""
    if not entry.choices:
        return []
    texts = {" ".join(text.split()) for text in entry.choices.values()}
    kinds: list[Kind] = [] if entry.right else ["unclear_answer"]
    if "" in texts:
        kinds.append("empty_choice")
    if len(texts) < len(entry.choices):
        kinds.append("duplicate_choices")
    return kinds


def _digest(words: str) -> int:
    """Return a number that is the same for equal texts, within this process."""
    return hash(words) & LARGEST_DIGEST
