"""What a number of questions can show, and how many a difference needs, is as published, and honest where they are few."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower

from tasks.evaluation.statistics.power import Spread, count_questions_needed, find_smallest_visible, measure_spread

TENTH = Spread(0.1, is_binary=True)
GRADED = Spread(0.25, is_binary=False)


@pytest.mark.parametrize(("share", "difference", "count"), [(0.5, 0.4, 23), (0.45, 0.15, 155), (0.1, 0.006, 21801)])
def test_questions_needed_are_as_published(share: float, difference: float, count: int) -> None:
    """Connor's formula as two calculators on the web print it, and computed by hand."""
    assert count_questions_needed(difference, Spread(share, is_binary=True)) == count


@given(st.floats(0.001, 1), st.integers(20, 10**6))
def test_the_smallest_visible_difference_needs_the_questions_there_are(share: float, n: int) -> None:
    """For scores of 0 and 1 the two formulas are each other's inverse."""
    spread = Spread(share, is_binary=True)
    visible = find_smallest_visible(n, spread)
    assert visible is not None
    assert count_questions_needed(visible * (1 + 1e-9), spread) == pytest.approx(n, abs=1)


@given(st.floats(0.001, 0.5), st.integers(100, 10**6), st.floats(1, 8))
def test_so_it_is_for_grades_and_clusters(variance: float, n: int, questions_per_unit: float) -> None:
    """Unless even the largest difference is too small to be seen."""
    spread = Spread(variance, is_binary=False, questions_per_unit=questions_per_unit)
    visible = find_smallest_visible(n, spread)
    assume(visible is not None)
    assert visible is not None
    assert count_questions_needed(visible, spread) == pytest.approx(n, abs=1)


@given(st.floats(0.2, 1.5))
def test_grades_need_as_many_questions_as_statsmodels_finds(effect: float) -> None:
    """By the exact power of the t test, to a question; the effect is the difference in standard deviations."""
    spread = Spread(0.25, is_binary=False)
    needed = count_questions_needed(effect * 0.5, spread)
    assert needed == pytest.approx(TTestPower().solve_power(effect, alpha=0.05, power=0.8), abs=1.2)


def test_the_difference_of_a_thousand_questions() -> None:
    """Runs that differ on a tenth of them: 2.8 points are seen four times in five."""
    assert find_smallest_visible(1000, TENTH) == pytest.approx(0.02798, abs=1e-5)


def test_runs_that_never_differed_could_still_differ() -> None:
    """The smallest visible difference goes all in one direction: on 7.8 of a thousand questions."""
    assert find_smallest_visible(1000, Spread(0.0, is_binary=True)) == pytest.approx(0.00783, abs=1e-5)


@given(st.integers(5, 10**5), st.floats(0, 1))
def test_no_visible_difference_is_larger_than_what_differs(n: int, share: float) -> None:
    """A difference of d takes a share of d that differs: then more must differ than did."""
    visible = find_smallest_visible(n, Spread(share, is_binary=True))
    assert visible is not None
    assert visible <= max(share, find_smallest_visible(n, Spread(0.0, is_binary=True)) or 0) + 1e-12


@pytest.mark.parametrize("spread", [TENTH, Spread(0.0, is_binary=True), Spread(0.0, is_binary=False), GRADED])
def test_three_questions_show_nothing(spread: Spread) -> None:
    """Not even a run that is right where the other is wrong."""
    assert find_smallest_visible(3, spread) is None


@pytest.mark.parametrize("spread", [TENTH, GRADED])
def test_no_difference_needs_no_number_of_questions(spread: Spread) -> None:
    """There is nothing to be seen, with any."""
    assert count_questions_needed(0.0, spread) is None


@pytest.mark.parametrize("spread", [TENTH, GRADED, replace(GRADED, questions_per_unit=4.0)])
def test_the_direction_does_not_matter(spread: Spread) -> None:
    """Worse by two points needs as many questions as better by two."""
    assert count_questions_needed(-0.02, spread) == count_questions_needed(0.02, spread)


def test_more_confidence_or_power_needs_more_questions() -> None:
    """The squares of 1.96 + 0.84, 2.58 + 0.84 and 1.96 + 1.28 are as 7.85, 11.68 and 10.51."""
    assert count_questions_needed(0.01, GRADED) == 19625
    assert count_questions_needed(0.01, GRADED, confidence=0.99) == 29201
    assert count_questions_needed(0.01, GRADED, power=0.9) == 26271


def test_the_spread_of_right_and_wrong_is_the_share_that_differs() -> None:
    """Whichever run is right where they differ."""
    assert measure_spread(np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0])) == Spread(0.5, is_binary=True)


def test_the_spread_of_grades_is_their_differences_variance() -> None:
    """Of 0.5, 0 and -0.5: a quarter."""
    found = measure_spread(np.array([0.5, 0.5, 0.5]), np.array([0.0, 0.5, 1.0]))
    assert found
    assert (found.is_binary, found.questions_per_unit) == (False, 1.0)
    assert found.variance == pytest.approx(0.25)


def test_clusters_that_answer_alike_need_as_many_clusters_as_questions() -> None:
    """Each of three clusters holds the same score four times: one cluster tells what one question told."""
    a, b = np.array([0.5, 0.5, 0.5]), np.array([0.0, 0.5, 1.0])
    alone = measure_spread(a, b)
    clustered = measure_spread(np.repeat(a, 4), np.repeat(b, 4), np.repeat([0, 1, 2], 4))
    assert alone
    assert clustered
    assert (clustered.variance, clustered.questions_per_unit) == pytest.approx((4 * alone.variance, 4.0))
    assert count_questions_needed(0.1, clustered) == pytest.approx(4 * (count_questions_needed(0.1, alone) or 0), abs=4)


def test_clusters_none_of_which_differed_count_as_questions() -> None:
    """Forty questions in ten clusters show what ten questions show; 154.6 of either unit are needed."""
    none_differed, clustered = Spread(0.0, is_binary=True), Spread(0.0, is_binary=False, questions_per_unit=4.0)
    assert find_smallest_visible(40, clustered) == find_smallest_visible(10, none_differed)
    assert (count_questions_needed(0.05, none_differed), count_questions_needed(0.05, clustered)) == (155, 619)


def test_one_unit_has_no_spread() -> None:
    """One graded question, one cluster, no question."""
    assert measure_spread(np.array([0.5]), np.array([0.25])) is None
    assert measure_spread(np.array([1.0, 0.0]), np.array([0.0, 0.0]), np.array([3, 3])) is None
    assert measure_spread(np.array([]), np.array([])) is None
