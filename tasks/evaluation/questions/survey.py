"""What a file of questions holds: kinds of questions, choices, lengths and fields, gathered entry by entry."""

from array import array
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.fields import Fields
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.entries import Entry, read_entries
from tasks.evaluation.questions.file_notes import FileNotes
from tasks.evaluation.questions.files import QuestionFile, find_format
from tasks.evaluation.questions.findings import Finding, Findings, list_findings


class Contents:
    """Counts of the entries that can be asked. Memory: 8 bytes an entry."""

    def __init__(self) -> None:
        self.choice_counts: Counter[int] = Counter()
        self.right_labels: Counter[str] = Counter()
        self.short_answers = 0
        self.with_aliases = 0
        self.with_context = 0
        self.metadata: Counter[str] = Counter()
        self._lengths = array("Q")

    def add(self, entry: Entry) -> None:
        """Count the entry."""
        self._lengths.append(len(entry.text))
        if entry.choices:
            self.choice_counts[len(entry.choices)] += 1
            self.right_labels[", ".join(entry.right[0]) if entry.right else "none"] += 1
        else:
            self.short_answers += 1
        self.with_aliases += bool(entry.aliases)
        self.with_context += bool(entry.context)
        self.metadata.update(entry.metadata.keys())

    @property
    def asked(self) -> int:
        """Return how many entries can be asked."""
        return len(self._lengths)

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Return the shortest, the median and the longest question, in characters; zeros if no question can be asked."""
        lengths = np.frombuffer(self._lengths, dtype=np.uint64) if self._lengths else np.zeros(1)
        return int(lengths.min()), int(np.median(lengths)), int(lengths.max())


@dataclass(frozen=True)
class Survey:
    """A file that was read to its end: what it holds, and what is wrong with it."""

    file: QuestionFile
    count: int
    contents: Contents
    findings: list[Finding]
    notes: list[str]

    @property
    def is_sound(self) -> bool:
        """Return True if every entry can be asked."""
        return not any(finding.stops for finding in self.findings)

    def to_json(self) -> JsonObject:
        """Return the survey as programs read it."""
        contents = self.contents
        shortest, median, longest = contents.lengths
        return {
            "file": self.file.path,
            "format": self.file.format,
            "entries": self.count,
            "is_sound": self.is_sound,
            "can_be_asked": contents.asked,
            "multiple_choice": contents.choice_counts.total(),
            "choices": {str(number): count for number, count in sorted(contents.choice_counts.items())},
            "right": dict(contents.right_labels.most_common()),
            "short_answers": contents.short_answers,
            "with_accepted_answers": contents.with_aliases,
            "with_context": contents.with_context,
            "question_characters": {"shortest": shortest, "median": median, "longest": longest},
            "carried": dict(contents.metadata),
            "places_count": self.file.unit,
            "findings": [finding.to_json() for finding in self.findings],
            "notes": list(self.notes),
        }


def survey_questions(path: str, config: Config | None) -> Survey:
    """Read the file as a run with this configuration would; None: as one with the defaults and with the context.

    Raises:
        UserMistake: it cannot be read to its end, or holds no question.
    """
    contents, notes = Contents(), FileNotes()
    findings = Findings(has_grader=bool(config and config.model.grader_shortname))
    fields, uses_context = (config.fields, config.rag.uses_context) if config else (Fields(), True)
    file = find_format(path, fields)
    for place, entry in read_entries(file, fields, uses_context=uses_context, notes=notes):
        found = findings.add(place, entry)
        if not any(findings.stops(kind) for kind in found):
            contents.add(entry)
    are_letters_meant = bool(config and config.processing.question_format == "qa")
    listed = list_findings(findings, notes, are_letters_meant=are_letters_meant)
    return Survey(file, len(findings), contents, listed, notes.describe())
