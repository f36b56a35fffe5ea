"""The accuracy of a run: the mean of its questions' scores, with its standard error and its 95 % interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard, get_args

import numpy as np

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.intervals import Interval, IntervalMethod, clustered_error, interval_to_json, measure_interval


@dataclass(frozen=True)
class Accuracy:
    """The mean score of some questions, with its uncertainty."""

    count: int
    """The number of questions."""
    score_sum: float
    """The sum of their scores."""
    accuracy: float
    """The mean of their scores, from 0 to 1."""
    standard_error: float | None
    """The scores' sample standard deviation / sqrt(count), or that of clusters; None for fewer than two of these."""
    interval: Interval | None
    """The 95 % interval; None where nothing can be said about it."""

    def to_json(self) -> JsonObject:
        """Return the accuracy as files hold it."""
        return {
            "count": self.count,
            "accuracy": self.accuracy,
            "standard_error": self.standard_error,
            **interval_to_json(self.interval),
        }

    def __str__(self) -> str:
        interval = f", 95 % interval {self.interval.low:.4f} to {self.interval.high:.4f}" if self.interval else ""
        total = f"{round(self.score_sum, 2):,.2f}".rstrip("0").rstrip(".")
        return f"{self.accuracy:.4f}{interval} ({total} of {self.count:,} question{'s' * (self.count != 1)})"


def is_score(value: JsonValue) -> TypeGuard[float]:
    """Return True if the value is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def measure_scores(scores: Sequence[float] | Floats, clusters: Codes | None = None) -> Accuracy | None:
    """Return the accuracy of these scores; None if there are no scores.

    Args:
        scores: from 0 to 1.
        clusters: for each the cluster that it belongs to, if scores within one depend on each other.
    """
    values = np.asarray(scores, dtype=np.float64)
    count = len(values)
    if not count:
        return None
    total = math.fsum(values)
    error = clustered_error(values, clusters) if clusters is not None else None
    if clusters is None and count > 1:
        error = float(values.std(ddof=1)) / math.sqrt(count)
    return Accuracy(count, total, total / count, error, measure_interval(values, clusters))


def parse_interval(interval: JsonValue, method: JsonValue) -> Interval | None:
    """Return the interval that `interval_to_json` wrote; None for anything else."""
    ends = interval if isinstance(interval, list) else []
    if len(ends) != 2 or not is_score(ends[0]) or not is_score(ends[1]):
        return None
    return next((Interval(ends[0], ends[1], known) for known in get_args(IntervalMethod) if known == method), None)
