"""One run's records, read once: what the page's index and tables need stays in memory, the texts go to a spool on disk."""

import re
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from tasks.evaluation.comparing.columns import DIGEST_BYTES, NO_VALUE, Digests, digest_content
from tasks.evaluation.json_lines import JsonObject, JsonValue, from_line, to_line
from tasks.evaluation.pages.clean_texts import clean_text
from tasks.evaluation.pages.texts import QUESTION_MEMBERS, write_answer
from tasks.evaluation.questions.columns import read_field
from tasks.evaluation.questions.printed_values import as_text
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.scoring.records import is_refused
from tasks.evaluation.scoring.repeats import REPEATS
from tasks.evaluation.scoring.score_sheet import AnswerKey, ScoreSheet, read_evaluation
from tasks.evaluation.spending.tokens import ROLES, Role, TokenSum
from tasks.evaluation.statistics.arrays import Codes, Texts
from tasks.evaluation.storage.checkpoint_reader import is_failed_request
from tasks.evaluation.storage.spool import Spool

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]

# A score is kept as a whole number up to this: 0 and this are exact, whatever is between them is rounded, but to neither.
FULL_SCORE = 200
UNUSABLE, REFUSED, ABSENT = 253, 254, 255
NO_CHOICE, TRUNCATED, CLARIFIED, UNSTABLE = 1, 2, 4, 8
# A number beyond this does not fit into the index; the record's place takes its stead.
MOST_NUMBERED = 2**32 - 1
# Errors that differ only in numbers count as one; of more different ones, no list would help.
MOST_REASONS, REASON_CHARACTERS = 1000, 300


@dataclass
class RunSheet:
    """A run's records, one row each in the file's order."""

    run: SavedRun
    """The run."""
    scores: ScoreSheet
    """What the statistics need."""
    numbers: Codes
    """The question's number in its run."""
    contents: Digests
    """The digest of the question and its reference answer; where the record has no reference, of the question alone."""
    questions: Digests
    """The digest of the question alone."""
    outcomes: Bytes
    """The score from 0 to `FULL_SCORE`, `REFUSED` or `UNUSABLE`."""
    marks: Bytes
    """The sum of `NO_CHOICE`, `TRUNCATED`, `CLARIFIED` and `UNSTABLE`, as they apply."""
    groups: Codes
    """The place of the question's group in `group_names`; `NO_VALUE` if it has none."""
    formats: Texts
    """`m` for multiple choice, `q` for a short answer, `-` for an entry that cannot be asked."""
    texts: Spool
    """Two lines for each record: the members that make its question, and its answer as the page's blocks hold it."""
    group_names: dict[str, int] = field(default_factory=dict)
    """The groups' names, with their places."""
    reasons: Counter[str] = field(default_factory=Counter)
    """How often each reason kept a question from being scored, with its numbers as zeros."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first reason of each kind as it is."""
    tokens: dict[Role, TokenSum] = field(default_factory=lambda: dict.fromkeys(ROLES, TokenSum()))
    """What the answers and grades in the file have cost."""

    def __len__(self) -> int:
        return len(self.numbers)

    def read_question(self, place: int) -> JsonObject:
        """Return the members of a record that make its question."""
        return from_line(self.texts.read(2 * place))

    def read_answer(self, place: int) -> str:
        """Return a record's answer, as the page's blocks hold it."""
        return self.texts.read(2 * place + 1).decode()


def read_sheet(run: SavedRun, count: int, group_by: str | None, texts: Spool) -> RunSheet:
    """Return the run's records, in one pass over its file.

    Args:
        run: the run.
        count: the number of its records.
        group_by: the field whose values are groups.
        texts: takes the texts.

    Raises:
        UserMistake: the file is damaged.
        StorageFailure: the texts cannot be kept.
    """
    sheet = RunSheet(
        run=run,
        scores=ScoreSheet(AnswerKey(count), _count_repeats(run)),
        numbers=np.zeros(count, dtype=np.int64),
        contents=np.zeros(count, dtype=f"S{DIGEST_BYTES}"),
        questions=np.zeros(count, dtype=f"S{DIGEST_BYTES}"),
        outcomes=np.full(count, ABSENT, dtype=np.uint8),
        marks=np.zeros(count, dtype=np.uint8),
        groups=np.full(count, NO_VALUE, dtype=np.int64),
        formats=np.full(count, "-", dtype="U1"),
        texts=texts,
    )
    for place, record in zip(range(count), run.read_records(), strict=False):
        _note(sheet, place, record, group_by)
    return sheet


def is_graded(sheet: RunSheet) -> bool:
    """Return True if any score is neither 0 nor 1."""
    return bool(((sheet.outcomes > 0) & (sheet.outcomes < FULL_SCORE)).any())


def _note(sheet: RunSheet, place: int, record: JsonObject, group_by: str | None) -> None:
    number, is_original = record.get("question_id"), sheet.run.is_original
    sheet.numbers[place] = number if isinstance(number, int) and 0 <= number <= MOST_NUMBERED else place + 1
    text = as_text(record.get("question"))
    if record.get("skipped"):
        is_asked = is_refused(record) or (is_original and is_failed_request(record))
        sheet.outcomes[place] = REFUSED if is_asked else UNUSABLE
        # Without a text, entries of several runs are the same if they stand at the same place.
        sheet.contents[place] = sheet.questions[place] = _digest(text or f"entry {number}")
        _count_reason(sheet, clean_text(as_text(record.get("error"))[:REASON_CHARACTERS]))
    else:
        sheet.contents[place], sheet.questions[place] = digest_content(record), _digest(text)
        sheet.outcomes[place] = _round_score(record["score"])
        sheet.marks[place] = _read_marks(record)
        sheet.formats[place] = "q" if record.get("format") == "qa" else "m"
        key = sheet.scores.key
        key.right[place] = key.encode(read_evaluation(record).get("reference_choice"))
        sheet.scores.note(place, record)
    group = _read_group(record, group_by)
    if group:
        sheet.groups[place] = sheet.group_names.setdefault(group, len(sheet.group_names))
    usage = record.get("usage")
    for role in ROLES:
        sheet.tokens[role] += TokenSum.read(usage.get(role) if isinstance(usage, dict) else None)
    sheet.texts.append(to_line(_select_question(record)))
    sheet.texts.append(write_answer(record).encode())


def _count_reason(sheet: RunSheet, reason: str) -> None:
    kind = re.sub(r"\d+", "0", reason)
    if kind in sheet.examples or len(sheet.examples) < MOST_REASONS:
        sheet.examples.setdefault(kind, reason)
        sheet.reasons[kind] += 1


def _select_question(record: JsonObject) -> JsonObject:
    """Return the members of a record that make its question."""
    right = read_evaluation(record).get("reference_choice")
    return {name: record[name] for name in QUESTION_MEMBERS if name in record} | {"evaluation": {"reference_choice": right}}


def _count_repeats(run: SavedRun) -> int:
    processing = run.config.get("processing")
    repeats = processing.get("repeats") if isinstance(processing, dict) else None
    return repeats if isinstance(repeats, int) and repeats > 1 else 1


def _round_score(score: JsonValue) -> int:
    assert isinstance(score, int | float), "read_records yields no other"
    return round(score) * FULL_SCORE if score in {0, 1} else min(max(round(score * FULL_SCORE), 1), FULL_SCORE - 1)


def _read_marks(record: JsonObject) -> int:
    evaluation, repeats = read_evaluation(record), record.get(REPEATS)
    marks = {"no_choice": NO_CHOICE, "truncated": TRUNCATED, "clarified": CLARIFIED}
    scores = {str(each.get("score")) for each in repeats if isinstance(each, dict)} if isinstance(repeats, list) else set()
    return sum(mark for name, mark in marks.items() if evaluation.get(name) is True) + (UNSTABLE if len(scores) > 1 else 0)


def _read_group(record: JsonObject, group_by: str | None) -> str:
    fields = record.get("fields")
    return as_text(read_field(fields, group_by)).strip() if group_by and isinstance(fields, dict) else ""


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=DIGEST_BYTES).digest()
