"""The difference of two runs has the interval and the p-value of the literature, which never claim what scores cannot tell."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.evaluation.statistics.paired import Difference, compare_scores

Scores = np.ndarray[tuple[int], np.dtype[np.float64]]
GRADES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


def make_pair(both: int, only_a: int, only_b: int, neither: int) -> tuple[Scores, Scores]:
    """Return the scores of two runs with these numbers of questions right in both, in one alone, in neither."""
    a = np.repeat([1.0, 1.0, 0.0, 0.0], [both, only_a, only_b, neither])
    b = np.repeat([1.0, 0.0, 1.0, 0.0], [both, only_a, only_b, neither])
    return a, b


def enumerate_mid_p(only_a: int, only_b: int) -> Fraction:
    """Return the probability of what is further from half and half than observed, and half of what is as far, exactly."""
    differing = only_a + only_b
    distances = [abs(2 * right - differing) for right in range(differing + 1)]
    weights = [(2 if distance > abs(only_a - only_b) else distance == abs(only_a - only_b)) for distance in distances]
    return Fraction(sum(weight * comb(differing, right) for right, weight in enumerate(weights)), 2 ** (differing + 1))


def split_grades(grades: list[tuple[int, int]]) -> tuple[Scores, Scores]:
    """Return the grades, quarters of a point, as scores; a first question keeps them from being 0 and 1 alone."""
    a, b = np.array([(1, 1), *grades]).T / 4
    return a, b


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_p_is_the_mid_p_of_mcnemar(agreeing: int, only_a: int, only_b: int) -> None:
    """By the sum over all that could have been observed; questions on which the runs agree change nothing."""
    assume(only_a + only_b > 0)
    found = compare_scores(*make_pair(agreeing, only_a, only_b, agreeing))
    assert found.p == pytest.approx(float(enumerate_mid_p(only_a, only_b)), abs=1e-12)
    assert found.p_method == "mcnemar mid-p"


@pytest.mark.parametrize(("table", "p"), [((1, 1, 7, 12), 0.0390625), ((59, 6, 16, 80), 0.034690)])
def test_mid_p_is_as_published(table: tuple[int, int, int, int], p: float) -> None:
    """Two examples of Fagerland, Lydersen & Laake: airways in children, and a consolidation therapy."""
    assert compare_scores(*make_pair(*table)).p == pytest.approx(p, abs=5e-7)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.sampled_from([0.8, 0.95, 0.99]))
def test_bonett_price_is_waldian_with_two_more_questions(agreeing: int, only_a: int, only_b: int, confidence: float) -> None:
    """One more that only each of the two has right: the interval is scipy's for these differences' mean and spread."""
    assume(agreeing + only_a + only_b > 0)
    found = compare_scores(*make_pair(agreeing, only_a, only_b, 0), confidence=confidence)
    differences = np.repeat([0, 1, -1], [agreeing, only_a + 1, only_b + 1])
    low, high = stats.norm.interval(confidence, differences.mean(), differences.std() / np.sqrt(len(differences)))
    assert (found.low, found.high) == pytest.approx((max(low, -1), min(high, 1)), abs=1e-9)


def test_bonett_price_is_as_published() -> None:
    """The consolidation therapy again, as the same authors' program for their book of 2017 has it (chapter 8)."""
    found = compare_scores(*make_pair(59, 6, 16, 80))
    assert (found.difference, found.low, found.high) == pytest.approx((-0.0621, -0.1195, -0.0032), abs=5e-5)


@given(GRADES)
def test_grades_are_compared_by_the_paired_t_test_of_scipy(grades: list[tuple[int, int]]) -> None:
    """Its p-value, and its interval, cut at -1 and 1."""
    a, b = split_grades(grades)
    assume(np.ptp(a - b) > 0)
    found = compare_scores(a, b)
    expected = stats.ttest_rel(a, b)
    interval = expected.confidence_interval(0.95)
    low, high = max(-1.0, float(interval.low)), min(1.0, float(interval.high))
    assert (found.difference, found.p) == pytest.approx((float(np.mean(a - b)), float(expected.pvalue)), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert (found.interval_method, found.p_method) == ("t", "t")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 8)), min_size=2, max_size=60))
def test_clusters_are_compared_as_statsmodels_does(grades: list[tuple[int, int, int]]) -> None:
    """By a regression of the differences on a constant, with clusters of any sizes."""
    quarters, other_quarters, clusters = np.array(grades).T
    a, b = quarters / 4, other_quarters / 4
    assume(len(set(clusters)) > 1)
    fit = sm.OLS(a - b, np.ones_like(a)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    assume(fit.bse[0] > 1e-9)
    found = compare_scores(a, b, clusters)
    low, high = np.clip(fit.conf_int(0.05)[0], -1, 1)
    assert found.p == pytest.approx(fit.pvalues[0], abs=1e-9)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert (found.interval_method, found.p_method) == ("clustered-t", "clustered-t")


@given(GRADES)
def test_the_order_of_the_runs_changes_the_sign_alone(grades: list[tuple[int, int]]) -> None:
    """b - a is the mirror of a - b."""
    a, b = split_grades(grades)
    assume(np.ptp(a - b) > 0)
    there, back = compare_scores(a, b), compare_scores(b, a)
    assert (back.difference, back.p) == pytest.approx((-there.difference, there.p))
    assert there.low is not None
    assert there.high is not None
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def test_runs_that_agree_on_all_are_not_equal_for_certain() -> None:
    """p is 1, and the interval has width: of ten questions, the next may differ."""
    found = compare_scores(*make_pair(6, 0, 0, 4))
    assert (found.difference, found.p) == (0.0, 1.0)
    assert (found.low, found.high) == pytest.approx((-0.2310, 0.2310), abs=1e-4)


def test_equal_grades_are_as_sure_as_equal_answers() -> None:
    """t would end where it begins; the questions, or the clusters, count as questions none of which differs."""
    grades, clusters = np.full(12, 0.3), np.repeat([1, 2, 3], 4)
    assert compare_scores(grades, grades.copy()) == compare_scores(np.ones(12), np.ones(12))
    assert compare_scores(grades, grades.copy(), clusters) == compare_scores(np.ones(3), np.ones(3))


def test_a_rounding_error_is_no_difference() -> None:
    """0.1 + 0.2 and 0.3 are the same grade."""
    assert compare_scores(np.full(3, 0.1 + 0.2), np.full(3, 0.3)) == compare_scores(np.ones(3), np.ones(3))


def test_the_same_difference_everywhere_is_tested_by_its_sign() -> None:
    """Two questions of which one run has 0.1 more each do not make p = 0."""
    found = compare_scores(np.array([0.4, 0.6]), np.array([0.3, 0.5]))
    assert found == Difference(found.difference, None, None, "t", 0.25, "mcnemar mid-p")
    assert found.difference == pytest.approx(0.1)


@pytest.mark.parametrize("clusters", [None, np.array([5])])
def test_one_unit_of_grades_tells_nothing_but_the_difference(
    clusters: np.ndarray[tuple[int], np.dtype[np.int64]] | None,
) -> None:
    """Neither an interval nor a p-value."""
    found = compare_scores(np.array([0.75]), np.array([0.5]), clusters)
    assert (found.difference, found.low, found.high, found.p) == (0.25, None, None, None)


def test_one_question_of_right_and_wrong_proves_nothing() -> None:
    """The interval holds nearly everything, and p is a coin's."""
    found = compare_scores(np.array([1.0]), np.array([0.0]))
    assert (found.difference, found.high, found.p) == (1.0, 1.0, 0.5)
    assert found.low == pytest.approx(1 / 3 - 1.959964 * np.sqrt((1 - 1 / 9) / 3), abs=1e-6)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 0.0])])
def test_what_is_not_paired_is_an_error(a: list[float], b: list[float]) -> None:
    """No scores, or not equally many."""
    with pytest.raises(ValueError, match=r"cannot compare \d scores with \d"):
        compare_scores(np.array(a), np.array(b))
