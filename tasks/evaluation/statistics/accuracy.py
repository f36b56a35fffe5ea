"""The accuracy of a run: the mean of its questions' scores, with its standard error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.statistics.arrays import Floats


@dataclass(frozen=True)
class Accuracy:
    """The mean score of some questions, with its uncertainty."""

    count: int
    """The number of questions."""
    score_sum: float
    """The sum of their scores."""
    accuracy: float
    """The mean of their scores, from 0 to 1."""
    standard_error: float | None
    """The scores' sample standard deviation / sqrt(count); None for fewer than two questions."""

    def to_json(self) -> JsonObject:
        """Return the accuracy as files hold it."""
        return {"count": self.count, "accuracy": self.accuracy, "standard_error": self.standard_error}

    def __str__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.4f}"
        return f"{self.accuracy:.4f}{error} ({self.score_sum:,g} of {self.count:,} questions)"


def is_score(value: JsonValue) -> TypeGuard[float]:
    """Return True if the value is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def measure_scores(scores: Sequence[float] | Floats) -> Accuracy | None:
    """Return the accuracy of these scores; None if there are no scores."""
    values = np.asarray(scores, dtype=np.float64)
    count = len(values)
    if not count:
        return None
    total = math.fsum(values)
    error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else None
    return Accuracy(count, score_sum=total, accuracy=total / count, standard_error=error)
