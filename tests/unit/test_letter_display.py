"""Runs share a letter exactly where they cannot be told apart."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.statistics.letter_display import assign_letters

PAIRS = list(combinations(range(6), 2))


@given(st.sets(st.sampled_from(PAIRS)))
def test_a_shared_letter_means_not_told_apart(apart: set[tuple[int, int]]) -> None:
    """For any pattern, also those that no order of accuracies explains; each run has a letter."""
    letters = assign_letters(6, lambda a, b: (a, b) in apart)
    assert {pair for pair in PAIRS if not set(letters[pair[0]]) & set(letters[pair[1]])} == apart
    assert all(letters)


def test_a_chain_has_the_letters_that_textbooks_give() -> None:
    """Each is like its neighbour: the middle ones have two letters."""
    assert assign_letters(4, lambda a, b: b - a > 1) == ["a", "ab", "bc", "c"]


def test_runs_between_two_groups_take_no_letter_of_their_own() -> None:
    """The first three are alike, and so are the last three."""
    assert assign_letters(4, lambda a, b: (a, b) == (0, 3)) == ["a", "ab", "ab", "b"]


def test_all_alike_all_apart_and_none() -> None:
    """One letter for all, one for each, and nothing."""
    assert assign_letters(3, lambda *_: False) == ["a", "a", "a"]
    assert assign_letters(28, lambda *_: True)[24:] == ["y", "z", "a2", "b2"]
    assert assign_letters(0, lambda *_: True) == []
