"""Which letters a model chooses, against those that are right: a preference for a position shows here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.arrays import Codes


@dataclass(frozen=True)
class LetterRow:
    """One letter: how often it was right, how often it was chosen."""

    letter: str
    """The choice's letter."""
    right: int
    """The number of questions whose right choice has the letter."""
    chosen: int
    """The number of questions for which the letter was chosen, rightly or not."""
    recall: float | None
    """The share of those with this right choice for which it was chosen; None if no question has it."""

    def to_json(self) -> JsonObject:
        """Return the row as files hold it."""
        return {"letter": self.letter, "right": self.right, "chosen": self.chosen, "recall": self.recall}


@dataclass(frozen=True)
class Letters:
    """The choices of a run by letter."""

    rows: tuple[LetterRow, ...]
    """Every letter that was right or chosen, in the order of the choices."""
    recall_std: float | None
    """The standard deviation of the letters' recalls, over the letters themselves: 0 without a preference for a position; None
    for fewer than two recalls."""

    def to_json(self) -> JsonObject:
        """Return the letters as files hold them."""
        return {"rows": [row.to_json() for row in self.rows], "recall_std": self.recall_std}


def count_letters(right: Codes, chosen: Codes, names: Sequence[str]) -> Letters | None:
    """Return the choices by letter, in the letters' order; None if no question has one right letter.

    Args:
        right: the place in `names` of each question's right letter; -1 for a question without one, which counts for nothing.
        chosen: that of the chosen letter; -1 where none was chosen.
        names: the letters.

    Source: Zheng et al. 2024, "Large language models are not robust multiple choice selectors" (RStd).
    """
    has_right = right >= 0
    right, chosen = right[has_right], chosen[has_right]
    if not len(right):
        return None
    rights = np.bincount(right, minlength=len(names))
    choices = np.bincount(chosen[chosen >= 0], minlength=len(names))
    hits = np.bincount(right[right == chosen], minlength=len(names))
    rows = tuple(
        LetterRow(name, int(rights[at]), int(choices[at]), recall=float(hits[at] / rights[at]) if rights[at] else None)
        for at, name in sorted(enumerate(names), key=lambda place: (len(place[1]), place[1]))
        if rights[at] or choices[at]
    )
    recalls = [row.recall for row in rows if row.recall is not None]
    return Letters(rows, recall_std=float(np.std(recalls)) if len(recalls) > 1 else None)
