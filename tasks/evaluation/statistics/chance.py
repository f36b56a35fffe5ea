"""What guessing would reach, and whether an accuracy is more than that."""

import math
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.distributions import find_binomial_tail

# A number of right guesses this many standard deviations and counts from the mean has a probability below 1e-30.
WINDOW_DEVIATIONS = 12
WINDOW_COUNTS = 60


@dataclass(frozen=True)
class Chance:
    """How the number of right answers compares with guessing."""

    level: float
    """The accuracy that guessing reaches on average: the mean of 1 / choices."""
    p: float
    """The probability that guessing has at least as many questions right."""
    is_above: bool
    """True if guessing is unlikely to have as many right: p is below (1 - confidence) / 2, so that the verdict agrees with a
    two-sided interval of that confidence."""


def compare_with_chance(right_count: int, choice_counts: Codes, *, confidence: float = 0.95) -> Chance:
    """Return how a number of right answers compares with guessing, each choice of a question being equally likely.

    The number of right guesses has a Poisson-binomial distribution: a sum of binomials, one for each number of choices. Their
    exact distributions are convolved; a probability below 1e-30 may come out as 0.

    Args:
        right_count: the number of questions answered right.
        choice_counts: each question's number of choices, one or more; one question at least.
        confidence: that of the verdict.

    Source: Poisson 1837; Wang 1993.
    """
    numbers, counts = np.unique(choice_counts, return_counts=True)
    level = float(counts @ (1 / numbers)) / len(choice_counts)
    if len(numbers) == 1:
        p = _find_binomial_tail(right_count, int(counts[0]), 1 / int(numbers[0]))
    else:
        p = _find_tail(right_count, [(int(count), int(number)) for count, number in zip(counts, numbers, strict=True)])
    return Chance(level, p, is_above=p < (1 - confidence) / 2)


def _find_binomial_tail(right_count: int, count: int, probability: float) -> float:
    """Return the probability that a binomial is at least `right_count`."""
    if right_count <= 0:
        return 1.0
    return find_binomial_tail(right_count, count, probability) if right_count <= count else 0.0


def _find_tail(right_count: int, parts: list[tuple[int, int]]) -> float:
    """Return the probability that the binomials' sum is at least `right_count`."""
    first, total = 0, np.ones(1)
    for count, number in parts:
        low, probabilities = _list_binomial(count, number)
        first, total = first + low, np.convolve(total, probabilities)
    return min(1.0, math.fsum(total[max(0, right_count - first) :]))


def _list_binomial(count: int, number: int) -> tuple[int, Floats]:
    """Return the smallest number of right guesses that matters, and the probabilities of it and of those that follow."""
    if number == 1:
        return count, np.ones(1)
    mean, deviation = count / number, math.sqrt(count * (number - 1)) / number
    reach = WINDOW_DEVIATIONS * deviation + WINDOW_COUNTS
    low, high = max(0, math.floor(mean - reach)), min(count, math.ceil(mean + reach))
    below = np.arange(low, high, dtype=np.float64)
    # From each number to the next by the ratio of their probabilities: no error of large factorials' logarithms comes in.
    logarithms = np.concatenate([[0.0], np.cumsum(np.log((count - below) / ((below + 1) * (number - 1))))])
    probabilities = np.exp(logarithms - logarithms.max())
    return low, probabilities / probabilities.sum()
