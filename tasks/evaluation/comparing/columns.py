"""A saved run's scores as columns of numbers: what a comparison keeps of each record, in place of the record.

A scored question takes 64 bytes, however long its texts are, so that runs of a million questions fit into memory. The
texts stay in the file: `places` leads back to them.
"""

from array import array
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import numpy as np

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.choices_in_text import part_question
from tasks.evaluation.questions.columns import read_field
from tasks.evaluation.questions.printed_values import as_text
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.statistics.accuracy import is_score
from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.storage.checkpoint_reader import is_failed_request

Digests = np.ndarray[tuple[int], np.dtype[np.bytes_]]

DIGEST_BYTES = 16
# No answer takes longer; a file from elsewhere may hold any number.
MOST_SECONDS = 1e9
# The code of a question that has no value of the field.
NO_VALUE = -1
# A table of more groups is read by nobody, and a field with more values is an id.
MOST_GROUPS = 1000


@dataclass(frozen=True)
class RunColumns:
    """A run's scored questions, one row each in the file's order, and how many questions have no score."""

    digests: Digests
    """The digest of the question's text and reference answer: equal for the same question in any run."""
    scores: Floats
    """The score, from 0 to 1."""
    question_ids: Codes
    """The question's number in its run."""
    places: Codes
    """The record's place among those that `SavedRun.read_records` yields, from 0."""
    choice_counts: Codes
    """The number of choices; 0 for a question that is not multiple choice with one right choice, or if not asked for."""
    groups: Codes
    """The index of the question's group in `group_names`; `NO_VALUE` if it has none."""
    group_names: tuple[str, ...]
    """The values of the field that groups the questions."""
    clusters: Codes
    """A number for the value that the questions of a cluster share, equal in all runs; `NO_VALUE` without a value."""
    refused: int
    """The number of questions that the endpoint refused, or of requests that failed in the original scorer."""
    unusable: int
    """The number of entries that cannot be asked."""
    seconds: float
    """How long the model took for the scored questions whose records say it, together."""
    timed_count: int
    """How many records say it."""

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def mean_seconds(self) -> float | None:
        """Return how long the model took for a scored question, on average; None if no record says."""
        return self.seconds / self.timed_count if self.timed_count else None


@dataclass(frozen=True)
class WantedFields:
    """What is read of each record beside its question and score."""

    group_by: str | None = None
    """The field whose values are groups."""
    cluster_by: str | None = None
    """The field whose values are clusters."""
    choice_counts: bool = False
    """Whether the choices are counted, which doubles the time."""


def read_columns(run: SavedRun, wanted: WantedFields) -> RunColumns:
    """Return the run's scores, in one pass over its file.

    Raises:
        UserMistake: the file is damaged, a scored record has no question, or there are too many groups.
    """
    reader = _Reader(run, wanted)
    for place, record in enumerate(run.read_records()):
        reader.add(place, record)
    return reader.finish()


def read_lenient(run: SavedRun, wanted: WantedFields) -> RunColumns:
    """Return the run's scores; without groups if the field has too many values to be groups.

    Raises:
        UserMistake: the file is damaged, or a scored record has no question.
    """
    try:
        return read_columns(run, wanted)
    except UserMistake:
        if not wanted.group_by:
            raise
    return read_columns(run, replace(wanted, group_by=None))


def digest_content(record: JsonObject) -> bytes:
    """Return 16 bytes of BLAKE2b over the record's question and reference answer."""
    question, reference = as_text(record.get("question")), as_text(record.get("reference_answer"))
    # The length keeps a question that ends like a reference apart from one with that reference.
    return blake2b(f"{len(question)}:{question}{reference}".encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).digest()


def count_choices(record: JsonObject) -> int:
    """Return how many choices a multiple-choice question with one right choice offers; 0 for any other."""
    evaluation = record.get("evaluation")
    right = evaluation.get("reference_choice") if isinstance(evaluation, dict) else None
    if record.get("format") != "mc" or not isinstance(right, str):
        return 0
    choices = part_question(as_text(record.get("question")), (as_text(record.get("reference_answer")),)).choices
    return len(choices) if right.strip().upper() in choices else 0


@dataclass
class _Reader:
    """Collects the columns of one run."""

    run: SavedRun
    wanted: WantedFields
    digests: bytearray = field(default_factory=bytearray)
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    question_ids: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("q"))
    choice_counts: "array[int]" = field(default_factory=lambda: array("q"))
    groups: "array[int]" = field(default_factory=lambda: array("q"))
    clusters: "array[int]" = field(default_factory=lambda: array("q"))
    group_codes: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    unusable: int = 0
    seconds: float = 0.0
    timed_count: int = 0

    def add(self, place: int, record: JsonObject) -> None:
        """Add the record of a question, scored or not."""
        if record.get("skipped"):
            is_refused = "answer_id" in record or (self.run.is_original and is_failed_request(record))
            self.refused += is_refused
            self.unusable += not is_refused
            return
        if not isinstance(record.get("question"), str) or not record["question"]:
            raise UserMistake(f"cannot compare {self.run.path}: record {place + 1:,} has a score, but no question")
        number, fields = record.get("question_id"), record.get("fields")
        self.digests += digest_content(record)
        self.scores.append(_read_score(record))
        self._add_time(record.get("model_time_seconds"))
        self.question_ids.append(number if isinstance(number, int) and abs(number) < 1 << 62 else place + 1)
        self.places.append(place)
        self.choice_counts.append(count_choices(record) if self.wanted.choice_counts else 0)
        self.groups.append(self._code_group(fields))
        self.clusters.append(_code_cluster(_read_value(fields, self.wanted.cluster_by)))

    def finish(self) -> RunColumns:
        return RunColumns(
            digests=np.frombuffer(bytes(self.digests), dtype=f"S{DIGEST_BYTES}"),
            scores=np.array(self.scores, dtype=np.float64),
            question_ids=_to_codes(self.question_ids),
            places=_to_codes(self.places),
            choice_counts=_to_codes(self.choice_counts),
            groups=_to_codes(self.groups),
            group_names=tuple(self.group_codes),
            clusters=_to_codes(self.clusters),
            refused=self.refused,
            unusable=self.unusable,
            seconds=self.seconds,
            timed_count=self.timed_count,
        )

    def _add_time(self, seconds: JsonValue) -> None:
        if isinstance(seconds, int | float) and 0 <= seconds < MOST_SECONDS:
            self.seconds += seconds
            self.timed_count += 1

    def _code_group(self, fields: JsonValue) -> int:
        value = _read_value(fields, self.wanted.group_by)
        if not value:
            return NO_VALUE
        code = self.group_codes.setdefault(value, len(self.group_codes))
        if code >= MOST_GROUPS:
            raise UserMistake(
                f"cannot group by {self.wanted.group_by!r}: {self.run.path} has more than {MOST_GROUPS:,} values of it; "
                "name a field with fewer"
            )
        return code


def _read_score(record: JsonObject) -> float:
    score = record["score"]
    assert is_score(score), "read_records yields no other"
    return float(score)


def _read_value(fields: JsonValue, name: str | None) -> str:
    return as_text(read_field(fields, name)).strip() if name and isinstance(fields, dict) else ""


def _code_cluster(value: str) -> int:
    """Return 62 bits of the value's digest: of a million values, two share a code once in ten million times."""
    if not value:
        return NO_VALUE
    return int.from_bytes(blake2b(value.encode(errors="surrogatepass"), digest_size=8).digest()) >> 2


def _to_codes(values: "array[int]") -> Codes:
    return np.array(values, dtype=np.int64)
