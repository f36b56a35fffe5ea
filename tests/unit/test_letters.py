"""A preference for a position shows in the letters that are chosen."""

import numpy as np
import pytest

from tasks.evaluation.statistics.letters import LetterRow, count_letters


def test_each_letter_has_its_counts_and_recall() -> None:
    """Four questions; A is chosen three times, B never, and the last answer chose nothing."""
    found = count_letters(np.array([0, 0, 1, 2]), np.array([0, 0, 0, -1]), "ABC")
    assert found
    assert found.rows == (LetterRow("A", 2, 3, 1.0), LetterRow("B", 1, 0, 0.0), LetterRow("C", 1, 0, 0.0))
    assert found.recall_std == pytest.approx(np.sqrt(2) / 3)


def test_a_question_without_one_right_letter_counts_for_nothing() -> None:
    """Its choice has nothing to be held against."""
    found = count_letters(np.array([-1, 1]), np.array([0, 1]), "AB")
    assert found
    assert found.rows == (LetterRow("B", 1, 1, 1.0),)
    assert found.recall_std is None


def test_a_letter_that_is_never_right_has_no_recall() -> None:
    """It is listed where it is chosen; D is neither."""
    found = count_letters(np.array([0, 1, 1]), np.array([2, 1, 0]), "ABCD")
    assert found
    assert found.rows == (LetterRow("A", 1, 1, 0.0), LetterRow("B", 2, 1, 0.5), LetterRow("C", 0, 1, None))
    assert found.recall_std == 0.25


def test_the_letters_as_files_hold_them() -> None:
    """One object a letter."""
    found = count_letters(np.array([0]), np.array([0]), "A")
    assert found
    assert found.to_json() == {"rows": [{"letter": "A", "right": 1, "chosen": 1, "recall": 1.0}], "recall_std": None}


@pytest.mark.parametrize("right", [[], [-1, -1]])
def test_without_right_letters_there_is_no_table(right: list[int]) -> None:
    """Nor without questions."""
    assert count_letters(np.array(right, dtype=np.int64), np.array(right, dtype=np.int64), "AB") is None
