"""The accuracy of a run: the mean of its questions' scores, with its standard error."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from tasks.evaluation.json_lines import JsonObject, JsonValue


@dataclass(frozen=True)
class Accuracy:
    """The mean score of so many questions, and its standard error: the sample's standard deviation / sqrt(count).

    `standard_error` is None for fewer than two questions.
    """

    count: int
    score_sum: float
    accuracy: float
    standard_error: float | None

    def to_json(self) -> JsonObject:
        """The accuracy as files hold it."""
        return {"count": self.count, "accuracy": self.accuracy, "standard_error": self.standard_error}

    def __str__(self) -> str:
        error = "" if self.standard_error is None else f" ± {self.standard_error:.4f}"
        return f"{self.accuracy:.4f}{error} ({self.score_sum:,g} of {self.count:,} questions)"


def is_score(value: JsonValue) -> TypeGuard[float]:
    """Whether the value is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def measure_scores(scores: Sequence[float]) -> Accuracy | None:
    """The accuracy of these scores; None where there are none."""
    count = len(scores)
    if not count:
        return None
    mean = math.fsum(scores) / count
    squares = math.fsum((score - mean) ** 2 for score in scores)
    error = math.sqrt(squares / (count - 1) / count) if count > 1 else None
    return Accuracy(count, score_sum=math.fsum(scores), accuracy=mean, standard_error=error)
