"""How large a difference a number of questions can show, and how many questions a difference needs.

Both answer for a test that finds the difference with a probability of 0.8 ("four times in five") unless told otherwise. They
are each other's inverse.
"""

import math
from dataclasses import dataclass

from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.distributions import find_normal_quantile
from tasks.evaluation.statistics.intervals import is_binary
from tasks.evaluation.statistics.means import find_z, measure_mean

POWER = 0.8


@dataclass(frozen=True)
class Spread:
    """How much the difference between two runs' scores varies from question to question."""

    variance: float
    """For scores of 0 and 1 the share of questions that differ, which is the variance if the runs are equally good; for others
    the variance of the differences, multiplied by what clusters cost."""
    is_binary: bool
    """True if the scores are 0 and 1, without clusters."""
    questions_per_unit: float = 1.0
    """The mean number of questions in a cluster; 1 without clusters."""


def measure_spread(a: Floats, b: Floats, clusters: Codes | None = None) -> Spread | None:
    """Return how much the difference a - b varies; None if too few questions or clusters tell it (as `compare_scores`)."""
    if not len(a):
        return None
    if clusters is None and is_binary(a) and is_binary(b):
        return Spread(float((a != b).mean()), is_binary=True)
    sample = measure_mean(a - b, clusters)
    if sample.error is None:
        return None
    return Spread(sample.count * sample.error**2, is_binary=False, questions_per_unit=sample.count / sample.units)


def find_smallest_visible(n: int, spread: Spread, *, confidence: float = 0.95, power: float = POWER) -> float | None:
    """Return the smallest difference that n questions show with this power; None if they are too few to show any.

    Runs that differ by d differ on a share d of the questions at least: where fewer were observed to differ (none, say), the
    share counts as d itself. The result is then the smallest difference that goes all in one direction.

    Args:
        n: the number of questions.
        spread: how much the difference varies from question to question.
        confidence: that of the test.
        power: how likely it is to find the difference.

    Source: Connor 1987, "Sample size for testing differences in proportions for the paired-sample design", solved for the
    difference; for t, Guenther 1981, "Sample size formulas for normal theory t tests".
    """
    z, z_power = find_z(confidence), find_normal_quantile(power)
    if not spread.is_binary and spread.variance:
        left = n - _count_lost(spread, z)
        visible = (z + z_power) * math.sqrt(spread.variance / left) if left > 0 else math.inf
    else:
        units = n / spread.questions_per_unit
        under_root = units + z_power**2 - z**2
        if under_root < 0:
            return None
        per_root = (z * math.sqrt(units) + z_power * math.sqrt(under_root)) / (units + z_power**2)
        visible = per_root * max(math.sqrt(spread.variance), per_root)
    return visible if visible <= 1 else None


def count_questions_needed(difference: float, spread: Spread, *, confidence: float = 0.95, power: float = POWER) -> int | None:
    """Return how many questions show this difference with this power; None for no difference.

    Args:
        difference: the difference of the accuracies, from -1 to 1.
        spread: how much it varies from question to question.
        confidence: that of the test.
        power: how likely it is to find the difference.

    Source: as `find_smallest_visible`.
    """
    if not difference:
        return None
    z, z_power = find_z(confidence), find_normal_quantile(power)
    size = abs(difference)
    if not spread.is_binary and spread.variance:
        return math.ceil((z + z_power) ** 2 * spread.variance / size**2 + _count_lost(spread, z))
    share = max(spread.variance, size)
    units = (z * math.sqrt(share) + z_power * math.sqrt(share - size**2)) ** 2 / size**2
    return math.ceil(units * spread.questions_per_unit)


def _count_lost(spread: Spread, z: float) -> float:
    """Return how many questions the test spends on estimating the variance."""
    return spread.questions_per_unit * z**2 / 2
