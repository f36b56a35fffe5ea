"""A confidence is worth what it says if as many answers are right as it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.statistics.calibration import measure_calibration, score_brier

ANSWERS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1)), min_size=1, max_size=80)


@pytest.mark.parametrize(
    ("probabilities", "score"),
    [({"A": 1.0, "B": 0.0}, 0.0), ({"A": 0.0, "B": 1.0}, 2.0), ({"A": 0.5, "B": 0.5}, 0.5), ({"B": 1.0}, 2.0), ({}, 1.0)],
)
def test_brier_is_that_of_several_classes(probabilities: dict[str, float], score: float) -> None:
    """From certainty of the right choice to certainty of another; a choice without a probability has none."""
    assert score_brier(probabilities, "A") == score


def test_brier_of_four_choices() -> None:
    """0.3 squared for the right one, and the squares of the others."""
    assert score_brier({"A": 0.1, "B": 0.7, "C": 0.1, "D": 0.1}, "B") == pytest.approx(0.09 + 0.03)


def test_bins_hold_what_was_as_confident() -> None:
    """A bin's upper end belongs to it, 0 to the first; empty bins are left out."""
    found = measure_calibration(np.array([0.0, 0.5, 0.1, 1.0]), np.array([0.0, 0.3, 0.25, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert found
    assert [(each.low, each.high, each.count) for each in found.bins] == [(0.0, 0.1, 1), (0.2, 0.3, 2), (0.9, 1.0, 1)]
    assert [each.confidence for each in found.bins] == pytest.approx([0.0, 0.275, 1.0])
    assert [each.accuracy for each in found.bins] == [0.0, 0.5, 1.0]
    assert (found.brier, found.expected_calibration_error) == pytest.approx((0.4, 2 * (0.5 - 0.275) / 4))


@given(ANSWERS)
def test_the_error_is_that_of_the_definition(answers: list[tuple[int, int]]) -> None:
    """By exact arithmetic in whole per cent: each tenth's sum of confidences against its sum of scores."""
    found = measure_calibration(
        np.zeros(len(answers)),
        np.array([each for each, _ in answers]) / 100,
        np.array([score for _, score in answers], dtype=float),
    )
    tenths = [max(0, -(-per_cent // 10) - 1) for per_cent, _ in answers]
    gaps = [
        sum(per_cent - 100 * score for (per_cent, score), at in zip(answers, tenths, strict=True) if at == tenth)
        for tenth in range(10)
    ]
    assert found
    assert found.expected_calibration_error == pytest.approx(sum(map(abs, gaps)) / 100 / len(answers), abs=1e-9)
    assert sum(each.count for each in found.bins) == len(answers)


def test_an_answer_without_probabilities_counts_for_nothing() -> None:
    """It comes as NaN, as all do where the endpoint sends none."""
    brier_scores, confidences, scores = np.array([0.5, np.nan]), np.array([0.5, np.nan]), np.array([1.0, 0.0])
    assert measure_calibration(brier_scores, confidences, scores) == measure_calibration(
        *(np.array([each]) for each in (0.5, 0.5, 1.0))
    )
    assert measure_calibration(brier_scores[1:], confidences[1:], scores[1:]) is None


def test_no_answers_have_no_calibration() -> None:
    """Which is not a perfect one."""
    nothing = np.array([])
    assert measure_calibration(nothing, nothing, nothing) is None


def test_the_calibration_as_files_hold_it() -> None:
    """One object a bin."""
    found = measure_calibration(np.array([0.5]), np.array([0.5]), np.array([1.0]))
    assert found
    assert found.to_json() == {
        "brier": 0.5,
        "expected_calibration_error": 0.5,
        "bins": [{"low": 0.4, "high": 0.5, "count": 1, "confidence": 0.5, "accuracy": 1.0}],
    }
