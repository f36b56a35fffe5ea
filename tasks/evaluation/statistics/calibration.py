"""Whether a model's confidence is worth what it says: Brier score and expected calibration error."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.arrays import Floats

BIN_COUNT = 10


@dataclass(frozen=True)
class CalibrationBin:
    """The questions that were answered with about the same confidence."""

    low: float
    """The confidence above which the bin begins; the first holds 0 too."""
    high: float
    """The confidence up to which it goes."""
    count: int
    """The number of questions, one or more."""
    confidence: float
    """Their mean confidence."""
    accuracy: float
    """Their mean score."""

    def to_json(self) -> JsonObject:
        """Return the bin as files hold it."""
        return {
            "low": self.low,
            "high": self.high,
            "count": self.count,
            "confidence": self.confidence,
            "accuracy": self.accuracy,
        }


@dataclass(frozen=True)
class Calibration:
    """How well confidence and accuracy agree."""

    brier: float
    """The mean Brier score: 0 at best, 2 for certainty of wrong choices."""
    expected_calibration_error: float
    """The mean distance of confidence and accuracy in a bin, each bin weighted by its questions: 0 at best."""
    bins: tuple[CalibrationBin, ...]
    """The bins that hold a question, by confidence."""

    def to_json(self) -> JsonObject:
        """Return the calibration as files hold it."""
        return {
            "brier": self.brier,
            "expected_calibration_error": self.expected_calibration_error,
            "bins": [each.to_json() for each in self.bins],
        }


def score_brier(probabilities: Mapping[str, float], right: str) -> float:
    """Return a question's Brier score: the squared distance of the probabilities from certainty of the right choice.

    Args:
        probabilities: that of each choice, which add up to 1; one that is not there has none.
        right: the right choice.

    Source: Brier 1950, for several classes: from 0 to 2, twice the usual score if there are two choices.
    """
    squares = sum(probability**2 for choice, probability in probabilities.items() if choice != right)
    return squares + (1 - probabilities.get(right, 0.0)) ** 2


def measure_calibration(brier_scores: Floats, confidences: Floats, scores: Floats) -> Calibration | None:
    """Return how well confidence and accuracy agree; None if no question has probabilities.

    Args:
        brier_scores: each question's Brier score; NaN for a question without probabilities, which counts for nothing.
        confidences: the probability of each question's chosen answer, from 0 to 1; NaN likewise.
        scores: each question's score.

    Source: Guo et al. 2017, "On calibration of modern neural networks": ten bins of equal width, ](m - 1) / 10, m / 10].
    """
    is_known = ~(np.isnan(brier_scores) | np.isnan(confidences))
    if not is_known.any():
        return None
    brier_scores, confidences, scores = brier_scores[is_known], confidences[is_known], scores[is_known]
    edges = np.arange(BIN_COUNT + 1) / BIN_COUNT
    places = np.maximum(np.searchsorted(edges, confidences, side="left") - 1, 0)
    counts = np.bincount(places, minlength=BIN_COUNT)
    bins = tuple(
        CalibrationBin(float(edges[at]), float(edges[at + 1]), int(counts[at]), confidence, accuracy)
        for at, (confidence, accuracy) in enumerate(
            zip(_average(places, confidences, counts), _average(places, scores, counts), strict=True)
        )
        if counts[at]
    )
    error = sum(each.count * abs(each.confidence - each.accuracy) for each in bins) / len(scores)
    return Calibration(float(brier_scores.mean()), error, bins)


def _average(
    places: np.ndarray[tuple[int], np.dtype[np.intp]], values: Floats, counts: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> list[float]:
    """Return the mean of each bin's values; 0 for an empty bin."""
    return [float(mean) for mean in np.bincount(places, weights=values, minlength=BIN_COUNT) / np.maximum(counts, 1)]
