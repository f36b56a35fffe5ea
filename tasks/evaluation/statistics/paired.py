"""The difference between two runs on the same questions, with its interval and its p-value."""

import math
from dataclasses import dataclass
from typing import Literal

from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.distributions import find_coin_probability, find_t_probability
from tasks.evaluation.statistics.intervals import is_binary
from tasks.evaluation.statistics.means import SampledMean, find_t, find_z, measure_mean

DifferenceMethod = Literal["bonett-price", "t", "clustered-t"]
TestMethod = Literal["mcnemar mid-p", "t", "clustered-t"]


@dataclass(frozen=True)
class Difference:
    """How much better one run is than another on the same questions."""

    difference: float
    """The difference of the accuracies, from -1 to 1."""
    low: float | None
    """The lower end of its interval, at least -1; None if the scores cannot tell one."""
    high: float | None
    """The upper end, at most 1."""
    interval_method: DifferenceMethod
    """How the interval was computed."""
    p: float | None
    """The probability of a difference at least as large, either way, if the runs were equally good; None if the scores cannot
    tell one."""
    p_method: TestMethod
    """How it was computed."""


def compare_scores(a: Floats, b: Floats, clusters: Codes | None = None, *, confidence: float = 0.95) -> Difference:
    """Return the difference a - b.

    Scores of 0 and 1 have the interval of Bonett and Price and McNemar's mid-p test, others t on the questions' differences,
    clusters t with a clustered error and one degree of freedom fewer than there are clusters. That takes two units (questions,
    or clusters). Where all units differ by the same, t would have no width and p would be 0 even for two of them: then each
    unit counts as one question that differs in one direction, or not at all, and McNemar's test is the sign test. The interval
    is that of Bonett and Price where nothing differs, and None elsewhere.

    Args:
        a: one run's scores, each from 0 to 1; one question at least.
        b: the other's, of the same questions in the same order.
        clusters: the cluster of each question; None: each question was sampled by itself.
        confidence: how often such intervals hold the true difference, between 0 and 1.

    Raises:
        ValueError: there are no scores, or not equally many.

    Source: Bonett & Price 2012, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data"; Fagerland, Lydersen & Laake 2013, "The McNemar test for binary matched-pairs data"; Miller 2024.
    """
    if len(a) != len(b) or not len(a):
        raise ValueError(f"cannot compare {len(a)} scores with {len(b)}")
    differences = a - b
    if clusters is None and is_binary(a) and is_binary(b):
        return compare_counts(int((differences > 0).sum()), int((differences < 0).sum()), len(a), confidence=confidence)
    method: Literal["t", "clustered-t"] = "t" if clusters is None else "clustered-t"
    sample = measure_mean(differences, clusters)
    if sample.error is None:
        return Difference(sample.mean, None, None, method, None, method)
    if not sample.error:
        return _compare_constant(sample, method, confidence)
    margin = find_t(confidence, sample.units - 1) * sample.error
    p = 2 * find_t_probability(-abs(sample.mean) / sample.error, sample.units - 1)
    low, high = max(-1.0, sample.mean - margin), min(1.0, sample.mean + margin)
    return Difference(sample.mean, low, high, method, p, method)


def compare_counts(only_a: int, only_b: int, count: int, *, confidence: float = 0.95) -> Difference:
    """Return the difference a - b of scores of 0 and 1.

    Args:
        only_a: the number of questions for which only a is right.
        only_b: the number for which only b is right.
        count: the number of all questions, one at least.
        confidence: as `compare_scores`.

    Source: as `compare_scores`.
    """
    low, high = _find_bonett_price(only_a, only_b, count, confidence)
    p = _find_mid_p(only_a, only_b)
    return Difference((only_a - only_b) / count, low, high, "bonett-price", p, "mcnemar mid-p")


def _compare_constant(sample: SampledMean, method: DifferenceMethod, confidence: float) -> Difference:
    """Return the difference where every unit has the same one."""
    if not sample.mean:
        return compare_counts(0, 0, sample.units, confidence=confidence)
    return Difference(sample.mean, None, None, method, _find_mid_p(sample.units, 0), "mcnemar mid-p")


def _find_bonett_price(only_a: int, only_b: int, count: int, confidence: float) -> tuple[float, float]:
    """Return the interval of Bonett and Price: Wald's, with one question added to each kind that differs."""
    share_a, share_b = (only_a + 1) / (count + 2), (only_b + 1) / (count + 2)
    center = share_a - share_b
    margin = find_z(confidence) * math.sqrt((share_a + share_b - center**2) / (count + 2))
    return max(-1.0, center - margin), min(1.0, center + margin)


def _find_mid_p(only_a: int, only_b: int) -> float:
    """Return McNemar's exact p-value, two-sided, less half the probability of what was observed, both ways.

    Where as many differ in one direction as in the other, what was observed lies in both halves, and counts once, as published.
    Where none differ, the formula would say 0.5; nothing speaks against equal runs, so p is 1.
    """
    differing, fewer = only_a + only_b, min(only_a, only_b)
    if not fewer:
        return 0.5**differing
    fewer_still = find_coin_probability(fewer - 1, differing)
    return fewer_still + (0.5 if only_a == only_b else find_coin_probability(fewer, differing))
