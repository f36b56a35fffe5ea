"""What guessing reaches is exact, for any numbers of choices and any number of questions."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.evaluation.statistics.chance import compare_with_chance


@settings(deadline=None)
@given(st.data(), st.lists(st.integers(1, 12), min_size=1, max_size=200))
def test_guessing_is_distributed_as_in_scipy(data: st.DataObject, choice_counts: list[int]) -> None:
    """Poisson-binomial, for questions with different numbers of choices, one that has a single choice included."""
    right = data.draw(st.integers(0, len(choice_counts)))
    found = compare_with_chance(right, np.array(choice_counts))
    probabilities = 1 / np.array(choice_counts)
    assert found.level == pytest.approx(probabilities.mean(), abs=1e-12)
    assert found.p == pytest.approx(stats.poisson_binom(probabilities).sf(right - 1), abs=1e-9)


@given(st.data(), st.integers(1, 10**6), st.integers(2, 26))
def test_equal_numbers_of_choices_make_a_binomial(data: st.DataObject, count: int, choices: int) -> None:
    """Up to a million questions."""
    right = data.draw(st.integers(0, count))
    found = compare_with_chance(right, np.full(count, choices))
    assert found.p == pytest.approx(stats.binom.sf(right - 1, count, 1 / choices), abs=1e-9)


def test_many_questions_of_a_kind_beside_few_of_another() -> None:
    """By the same sum of binomials, taken in scipy over all of their values."""
    choice_counts = np.repeat([2, 5], [3000, 40])
    found = compare_with_chance(1540, choice_counts)
    others = np.arange(41)
    expected = stats.binom.pmf(others, 40, 0.2) @ stats.binom.sf(1539 - others, 3000, 0.5)
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_what_is_hardly_ever_guessed_counts_too() -> None:
    """Of ten questions with a hundred choices, four are guessed twice in a million times."""
    choice_counts = np.repeat([2, 100], [3, 10])
    found = compare_with_chance(7, choice_counts)
    assert found.p == pytest.approx(stats.poisson_binom(1 / choice_counts).sf(6), rel=1e-6)


def test_a_million_questions_take_no_second() -> None:
    """A run computes it each time that it saves."""
    choice_counts = np.tile([2, 3, 4, 5, 10], 200_000)
    started = time.perf_counter()
    found = compare_with_chance(277_500, choice_counts)
    assert time.perf_counter() - started < 1
    deviation = np.sqrt((1 / choice_counts * (1 - 1 / choice_counts)).sum())
    assert found.p == pytest.approx(stats.norm.sf((277_499.5 - 276_666.667) / deviation), rel=0.02)


@pytest.mark.parametrize(("right", "is_above"), [(33, False), (34, False), (35, True)])
def test_above_chance_means_beyond_doubt(right: int, is_above: bool) -> None:
    """Of a hundred questions with four choices, 34 are guessed with p = 0.028; the two-sided interval's end leaves 0.025."""
    found = compare_with_chance(right, np.full(100, 4))
    assert (found.level, found.is_above) == (0.25, is_above)


def test_more_confidence_asks_for_more() -> None:
    """What is above chance at 95 % need not be at 99 %."""
    choice_counts = np.full(100, 4)
    assert compare_with_chance(35, choice_counts, confidence=0.95).is_above
    assert not compare_with_chance(35, choice_counts, confidence=0.99).is_above


@pytest.mark.parametrize("choice_counts", [[4], [1], [3, 1], [2, 5, 1]])
def test_the_ends_are_certain(choice_counts: list[int]) -> None:
    """None right or more is certain; more than there are questions is impossible."""
    counts = np.array(choice_counts)
    assert compare_with_chance(0, counts).p == 1
    assert compare_with_chance(len(choice_counts) + 1, counts).p == 0
    assert compare_with_chance(len(choice_counts), counts).p == pytest.approx(float(np.prod(1 / counts)))
