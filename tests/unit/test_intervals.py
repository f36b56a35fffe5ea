"""The interval of an accuracy is the one that other programs compute, and never claims what scores cannot tell."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from tasks.evaluation.statistics.intervals import clustered_error, is_binary, measure_interval

GRADES = st.lists(st.integers(0, 20).map(lambda twentieths: twentieths / 20), min_size=2, max_size=60)
CLUSTERED_GRADES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), min_size=2, max_size=60)
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.95, 0.99])


def make_binary(right: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the scores of this many questions, the first of which are right."""
    return (np.arange(count) < right).astype(np.float64)


@given(st.data(), st.integers(1, 3000), CONFIDENCES)
def test_wilson_is_the_interval_of_statsmodels(data: st.DataObject, count: int, confidence: float) -> None:
    """For any number of right answers, none and all included."""
    right = data.draw(st.integers(0, count))
    found = measure_interval(make_binary(right, count), confidence=confidence)
    expected = proportion_confint(right, count, alpha=1 - confidence, method="wilson")
    assert found
    assert found.method == "wilson"
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_as_published(right: int, count: int, low: float, high: float) -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3."""
    found = measure_interval(make_binary(right, count))
    assert found
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(GRADES, CONFIDENCES)
def test_t_is_the_interval_of_scipy(grades: list[float], confidence: float) -> None:
    """For any grades that differ, cut at 0 and 1."""
    scores = np.array([*grades, 0.5])
    assume(np.ptp(scores) > 0)
    found = measure_interval(scores, confidence=confidence)
    expected = stats.ttest_1samp(scores, 0).confidence_interval(confidence)
    assert found
    assert found.method == "t"
    assert (found.low, found.high) == pytest.approx((max(0.0, expected.low), min(1.0, expected.high)), abs=1e-9)


@settings(deadline=None)
@given(CLUSTERED_GRADES)
def test_the_clustered_interval_is_that_of_statsmodels(grades: list[tuple[int, int]]) -> None:
    """For clusters of any sizes, by an ordinary regression on nothing but a constant."""
    twentieths, clusters = np.array(grades).T
    scores = twentieths / 20
    assume(len(set(clusters)) > 1)
    fit = sm.OLS(scores, np.ones_like(scores)).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    assume(fit.bse[0] > 1e-9)
    found = measure_interval(scores, clusters)
    low, high = np.clip(fit.conf_int(0.05)[0], 0, 1)
    assert clustered_error(scores, clusters) == pytest.approx(fit.bse[0], abs=1e-9)
    assert found
    assert found.method == "clustered-t"
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_clusters_of_one_question_change_nothing_but_the_name() -> None:
    """Their error is that of independent questions."""
    scores = np.array([0.0, 0.25, 1.0, 1.0, 0.5])
    alone = measure_interval(scores)
    clustered = measure_interval(scores, np.array([7, -3, 2, 0, 10**15]))
    assert alone
    assert clustered
    assert (clustered.low, clustered.high) == pytest.approx((alone.low, alone.high), abs=1e-12)
    assert (alone.method, clustered.method) == ("t", "clustered-t")


def test_a_large_cluster_counts_for_more() -> None:
    """The mean is that of the questions, and its error is worked out by hand: deviations of 2, -1 and -1 sum to 6 squared."""
    scores, clusters = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]), np.array([0, 0, 0, 0, 1, 1, 2, 2])
    assert clustered_error(scores, clusters) == pytest.approx(np.sqrt(3 / 2 * (2**2 + 1 + 1)) / 8)


def test_codes_of_clusters_may_be_any_numbers() -> None:
    """Close together, far apart, negative."""
    scores = np.array([0.0, 1.0, 1.0, 0.5])
    expected = clustered_error(scores, np.array([0, 0, 1, 2]))
    assert clustered_error(scores, np.array([-9, -9, 10**17, 4])) == expected
    assert clustered_error(scores, np.array([-1, -1, -2, -5])) == expected


@pytest.mark.parametrize("clusters", [None, np.array([4, 4, 4])])
def test_one_unit_tells_no_interval_of_grades(clusters: np.ndarray[tuple[int], np.dtype[np.int64]] | None) -> None:
    """A single question, or a single cluster, does not say how much others would differ."""
    scores = np.array([0.5]) if clusters is None else np.array([0.0, 1.0, 0.5])
    assert measure_interval(scores, clusters) is None


def test_one_right_answer_has_a_wide_interval() -> None:
    """Wilson's formula holds for one question too."""
    found = measure_interval(np.array([1.0]))
    assert found
    assert (found.low, found.high) == pytest.approx((0.20654, 1.0), abs=1e-5)


@given(st.integers(1, 3000))
def test_none_right_and_all_right_reach_the_ends(count: int) -> None:
    """Exactly: no rounding error is left between 0 and the lower end, or 1 and the upper."""
    none, all_right = measure_interval(np.zeros(count)), measure_interval(np.ones(count))
    assert none
    assert all_right
    assert (none.low, all_right.high) == (0.0, 1.0)


def test_no_scores_have_no_interval() -> None:
    """Neither with clusters nor without."""
    assert measure_interval(np.array([])) is None
    assert measure_interval(np.array([]), np.array([], dtype=np.int64)) is None
    assert clustered_error(np.array([]), np.array([], dtype=np.int64)) is None


def test_all_right_in_clusters_is_not_certain() -> None:
    """t would end where it begins; each cluster counts as one question instead."""
    found = measure_interval(np.ones(6), np.array([0, 0, 0, 1, 1, 2]))
    assert found
    assert (found.low, found.high) == pytest.approx((0.438503, 1.0), abs=1e-6)
    assert found == measure_interval(np.ones(3))


def test_equal_grades_tell_no_interval() -> None:
    """Unless they are all 0 or all 1, nothing says how much another grade could differ."""
    assert measure_interval(np.full(10, 0.1)) is None


def test_scores_of_0_and_1_are_binary() -> None:
    """Nothing between them is, however close."""
    assert is_binary(np.array([0.0, 1.0, 1.0]))
    assert not is_binary(np.array([0.0, 1.0, 1 - 1e-9]))
