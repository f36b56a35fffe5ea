"""The questions that one run answers better than another: their texts are read from the files again."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.printed_values import as_text
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.statistics.arrays import Codes


@dataclass(frozen=True)
class Flip:
    """A question on which two runs differ."""

    question_id: int
    """Its number in the pair's first run."""
    question: str
    """Its text."""
    reference: str
    """Its right choice; for a short answer, the reference answer."""
    answers: tuple[str, str]
    """What each run answers: the choice as it was read, else the whole answer; empty for no choice."""
    scores: tuple[float, float]
    """Each run's score."""


@dataclass(frozen=True)
class Flips:
    """The questions on which two runs differ, the first of them in the order of the first run's numbers."""

    a: str
    """The first run's name."""
    b: str
    """The second run's name."""
    counts: tuple[int, int]
    """How many questions a answers better than b, and b better than a."""
    better_a: tuple[Flip, ...]
    """The first that a answers better."""
    better_b: tuple[Flip, ...]
    """The first that b answers better."""


def list_flips(runs: Sequence[SavedRun], comparison: Comparison, most: int) -> list[Flips]:
    """Return for each pair the first questions, at most this many each way, on which the runs differ.

    Raises:
        UserMistake: a file has been changed since it was compared.
    """
    rows = comparison.matching.rows
    chosen = [
        (a, b, _find_better(comparison, a, b), _find_better(comparison, b, a))
        for a, b in itertools.combinations(range(len(runs)), 2)
    ]
    wanted: list[set[int]] = [set() for _ in runs]
    for a, b, *both in chosen:
        for run in (a, b):
            wanted[run] |= {int(row) for better in both for row in rows[run][better[:most]]}
    records = [
        _read_rows(run, columns.places, needed) for run, columns, needed in zip(runs, comparison.columns, wanted, strict=True)
    ]
    return [
        Flips(
            runs[a].name,
            runs[b].name,
            (len(better_a), len(better_b)),
            *(
                tuple(_describe(records[a][int(rows[a][index])], records[b][int(rows[b][index])]) for index in better[:most])
                for better in (better_a, better_b)
            ),
        )
        for a, b, better_a, better_b in chosen
    ]


def _find_better(comparison: Comparison, better: int, worse: int) -> Codes:
    """Return the places of the common questions that the one run answers better than the other."""
    scores = comparison.shared.scores
    return np.flatnonzero(scores[better] > scores[worse])


def _read_rows(run: SavedRun, places: Codes, rows: set[int]) -> Mapping[int, JsonObject]:
    """Return the records of these rows, by row; the file is read no further than needed."""
    row_at = {int(places[row]): row for row in rows}
    if not row_at:
        return {}
    read = itertools.islice(run.read_records(), max(row_at) + 1)
    return {row_at[place]: record for place, record in enumerate(read) if place in row_at}


def _describe(a: JsonObject, b: JsonObject) -> Flip:
    number = a.get("question_id")
    return Flip(
        number if isinstance(number, int) else 0,
        as_text(a.get("question")),
        _read_choice(a, "reference_choice") or as_text(a.get("reference_answer")),
        (_read_answer(a), _read_answer(b)),
        (_read_score(a), _read_score(b)),
    )


def _read_answer(record: JsonObject) -> str:
    """Return the choice that was read from the answer; for a short answer, the answer."""
    choice = _read_choice(record, "model_choice")
    return as_text(record.get("model_answer")) if choice is None else choice


def _read_choice(record: JsonObject, name: str) -> str | None:
    """Return a choice in the evaluation of a multiple-choice question, empty for no choice; None for another question."""
    evaluation = record.get("evaluation")
    if record.get("format") != "mc" or not isinstance(evaluation, dict) or name not in evaluation:
        return None
    return as_text(evaluation[name])


def _read_score(record: JsonObject) -> float:
    score = record.get("score")
    return float(score) if isinstance(score, int | float) else 0.0
