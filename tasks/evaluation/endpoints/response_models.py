"""Which model gave each answer, as the endpoint names it: gateways fall back to other models silently."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

# A question's name is kept as a number of two bytes; no gateway has as many models.
MOST_NAMES = 2**16 - 1


class ModelTable:
    """The name of the model behind each question's answer, by position. Memory: 2 bytes a question.

    Args:
        positions: how many questions there are.
    """

    def __init__(self, positions: int) -> None:
        self._names = [""]
        self._numbers: dict[str, int] = {"": 0}
        self._by_position = np.zeros(positions, dtype=np.uint16)

    def note(self, position: int, name: object) -> None:
        """Note the `response_model` of the question's result, which may have none."""
        text = name if isinstance(name, str) else ""
        if text not in self._numbers and len(self._names) < MOST_NAMES:
            self._numbers[text] = len(self._names)
            self._names.append(text)
        self._by_position[position] = self._numbers.get(text, 0)

    def count(self, positions: Sequence[int]) -> Counter[str]:
        """Return how many of the questions at these positions each model has answered; those without a name are left out."""
        numbers, counts = np.unique(self._by_position[np.asarray(positions, dtype=np.int64)], return_counts=True)
        return Counter({self._names[number]: int(count) for number, count in zip(numbers, counts, strict=True) if number})


def describe_other_models(counts: Counter[str]) -> str | None:
    """Return a line that names the models that answered besides the one that answered most; None if only one answered."""
    (most, count), *others = counts.most_common() or [("", 0)]
    if not others:
        return None
    listed = ", ".join(f"{name} ({number:,})" for name, number in others)
    return f"Answered by another model: {listed}; all others by {most} ({count:,})"
