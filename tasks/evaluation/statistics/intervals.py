"""Confidence intervals of an accuracy."""

import math
from dataclasses import dataclass
from typing import Literal

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.means import find_t, find_z, measure_mean

IntervalMethod = Literal["wilson", "t", "clustered-t"]


@dataclass(frozen=True)
class Interval:
    """The values of the true accuracy that the scores do not speak against."""

    low: float
    """The lower end, at least 0."""
    high: float
    """The upper end, at most 1."""
    method: IntervalMethod
    """How it was computed."""


def interval_to_json(interval: Interval | None) -> JsonObject:
    """Return the interval as files hold it."""
    return {
        "interval": [interval.low, interval.high] if interval else None,
        "interval_method": interval.method if interval else None,
    }


def is_binary(scores: Floats) -> bool:
    """Return True if every score is 0 or 1."""
    return bool(((scores == 0) | (scores == 1)).all())


def measure_interval(scores: Floats, clusters: Codes | None = None, *, confidence: float = 0.95) -> Interval | None:
    """Return the interval of the mean score; None if the scores cannot tell one.

    Scores of 0 and 1 have Wilson's interval, others Student's t, clusters t with a clustered error and one degree of freedom
    fewer than there are clusters. That takes two units (questions, or clusters) which differ. Where all scores are 1, or all 0,
    t would have no width: then each cluster counts as one question, with Wilson's interval.

    Args:
        scores: the questions' scores, each from 0 to 1.
        clusters: the cluster of each question; None: each question was sampled by itself.
        confidence: how often such intervals hold the true accuracy, between 0 and 1.

    Source: Wilson 1927 without continuity correction; Student 1908.
    """
    if not len(scores):
        return None
    if clusters is None and is_binary(scores):
        return _find_wilson(float(scores.mean()), len(scores), confidence)
    sample = measure_mean(scores, clusters)
    if sample.error is None:
        return None
    if not sample.error:
        return _find_wilson(sample.mean, sample.units, confidence) if sample.mean in {0, 1} else None
    margin = find_t(confidence, sample.units - 1) * sample.error
    method: IntervalMethod = "t" if clusters is None else "clustered-t"
    return Interval(max(0.0, sample.mean - margin), min(1.0, sample.mean + margin), method)


def clustered_error(values: Floats, clusters: Codes) -> float | None:
    """Return the standard error of the values' mean, clustered as `measure_mean` says; None for fewer than two clusters."""
    return measure_mean(values, clusters).error if len(values) else None


def _find_wilson(share: float, count: int, confidence: float) -> Interval:
    """Return Wilson's interval of a share that was seen in this many questions."""
    z = find_z(confidence)
    weight = z**2 / count
    center = (share + weight / 2) / (1 + weight)
    margin = z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    # The ends at 0 and 1 are exact; computed, they miss them by a rounding error.
    low = 0.0 if share == 0 else max(0.0, center - margin)
    return Interval(low, 1.0 if share == 1 else min(1.0, center + margin), "wilson")
