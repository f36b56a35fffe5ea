"""What it says that a question is asked several times."""

import math

import numpy as np

from tasks.evaluation.statistics.arrays import Codes


def pass_at(right_counts: Codes, repeats: int, k: int) -> float:
    """Return how likely it is that at least one of k answers is right, as a mean over the questions.

    Unbiased for each question: the share of the ways to draw k of its answers that hold a right one.

    Args:
        right_counts: how many of each question's answers are right, from 0 to `repeats`; one question at least.
        repeats: the number of answers to each question.
        k: how many answers one may give, from 1 to `repeats`.

    Raises:
        ValueError: k is not from 1 to `repeats`, or there are no questions.

    Source: Chen et al. 2021, "Evaluating large language models trained on code".
    """
    if not 1 <= k <= repeats or not len(right_counts):
        raise ValueError(f"no pass@{k} of {repeats} repeats and {len(right_counts)} questions")
    draws = math.comb(repeats, k)
    shares = np.array([1 - math.comb(repeats - right, k) / draws for right in range(repeats + 1)])
    return float(shares[right_counts].mean())
