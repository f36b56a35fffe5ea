"""What the repeats of questions show: how often one is right in k tries, what the majority says, and how many scores change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.arrays import Bools, Codes, Floats
from tasks.evaluation.statistics.intervals import Interval, interval_to_json, measure_interval
from tasks.evaluation.statistics.repeats import pass_at

FloatRows = np.ndarray[tuple[int, int], np.dtype[np.float64]]
CodeRows = np.ndarray[tuple[int, int], np.dtype[np.int64]]

# The numbers of tries for which pass@k is reported, as far as there are repeats; that of all repeats is added.
TRIES = (1, 2, 4, 8, 16, 32, 64, 128)
NO_LABEL = -1


@dataclass(frozen=True)
class RepeatTable:
    """The repeats, a row for each question and a column for each repeat; without columns where questions are asked once."""

    scores: FloatRows
    """The score, from 0 to 1."""
    choices: CodeRows
    """The number of the chosen label; -1 for none and for several."""
    right_places: CodeRows
    """The place from 1 at which the right choice was shown; 0 if it is the same in each repeat."""

    def select(self, rows: Bools) -> Self:
        """Return the table of the chosen rows."""
        return type(self)(self.scores[rows], self.choices[rows], self.right_places[rows])


@dataclass(frozen=True)
class PlaceAccuracy:
    """The accuracy of the repeats that showed the right choice at one place."""

    position: int
    """The place, from 1."""
    count: int
    """The number of these repeats."""
    accuracy: float
    """The mean of their scores."""
    interval: Interval | None = None
    """The accuracy's 95 % interval; None where nothing can be said about it."""

    def to_json(self) -> JsonObject:
        """Return the same as files hold it."""
        return {"position": self.position, "count": self.count, "accuracy": self.accuracy, **interval_to_json(self.interval)}


@dataclass(frozen=True)
class RepeatSummary:
    """What the repeats of all scored questions show; the question is the unit."""

    count: int
    """The number of times that each question was asked."""
    pass_at: Mapping[int, float]
    """The probability that at least one of k tries is right, by k; empty if scores are graded."""
    majority: float
    """The accuracy of the answer that most repeats of a question give."""
    changing: float
    """The share of questions whose score is not the same in all repeats."""
    by_position: tuple[PlaceAccuracy, ...]
    """The accuracy by the place of the right choice; empty if each repeat shows the same order."""

    def to_json(self) -> JsonObject:
        """Return the same as files hold it."""
        tries: JsonObject = {str(k): value for k, value in self.pass_at.items()}
        return {"count": self.count, "pass_at": tries, "majority": self.majority, "changing": self.changing}


def summarize_repeats(table: RepeatTable, right: Codes, clusters: Codes | None = None) -> RepeatSummary | None:
    """Return what the repeats show; None if questions were asked once, or none was scored.

    Args:
        table: the repeats of scored questions.
        right: for each of these the number of the right label; -1 where not exactly one is right.
        clusters: for each of these the cluster that it belongs to, if scores within one depend on each other.
    """
    questions, repeats = table.scores.shape
    if not repeats or not questions:
        return None
    right_counts = (table.scores == 1).sum(axis=1)
    is_graded = bool(((table.scores > 0) & (table.scores < 1)).any())
    tries = sorted({k for k in TRIES if k < repeats} | {repeats})
    return RepeatSummary(
        count=repeats,
        pass_at={} if is_graded else {k: pass_at(right_counts, repeats, k) for k in tries},
        majority=float(score_majority(table, right).mean()),
        changing=float((table.scores.max(axis=1) > table.scores.min(axis=1)).mean()),
        by_position=_measure_places(table, clusters),
    )


def score_majority(table: RepeatTable, right: Codes) -> Floats:
    """Return the score of the answer that most repeats of each question give.

    Of several that are given equally often, one is drawn: the score is the share of these that are right. Where choices have no
    labels to count, as in short answers, it is 1 if more repeats are right than wrong, and 0.5 if as many are.
    """
    mean = table.scores.mean(axis=1)
    by_score = np.where(mean > 0.5, 1.0, np.where(mean < 0.5, 0.0, 0.5))
    labels = np.arange(int(table.choices.max(initial=NO_LABEL)) + 1)
    if not len(labels):
        return by_score
    votes = np.stack([(table.choices == label).sum(axis=1) for label in labels], axis=1)
    is_leading = (votes == votes.max(axis=1, keepdims=True)) & (votes > 0)
    leaders = is_leading.sum(axis=1)
    is_right = (is_leading & (labels == right[:, None])).any(axis=1)
    by_vote = np.divide(is_right, leaders, out=np.zeros(len(mean)), where=leaders > 0)
    return np.where(right == NO_LABEL, by_score, by_vote)


def _measure_places(table: RepeatTable, clusters: Codes | None) -> tuple[PlaceAccuracy, ...]:
    places = range(1, int(table.right_places.max(initial=0)) + 1)
    measured = (_measure_place(place, table, clusters) for place in places)
    return tuple(each for each in measured if each)


def _measure_place(place: int, table: RepeatTable, clusters: Codes | None) -> PlaceAccuracy | None:
    """Return the accuracy at the place; None if no repeat shows the right choice there.

    The question is the unit, unless it belongs to a cluster: answers to one question depend on each other.
    """
    questions, repeats = np.nonzero(table.right_places == place)
    if not len(questions):
        return None
    scores = table.scores[questions, repeats]
    own = questions if len(np.unique(questions)) < len(questions) else None
    units = own if clusters is None else clusters[questions]
    return PlaceAccuracy(place, len(scores), float(scores.mean()), measure_interval(scores, units))
