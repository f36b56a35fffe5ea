"""Several comparisons claim no more together than one alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tasks.evaluation.statistics.families import adjust_holm, group_leaders


@settings(max_examples=25, deadline=None)  # statsmodels takes its time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    """Holm's, in the order given, ties and zeros included."""
    assert adjust_holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)


def test_holm_by_hand() -> None:
    """Three times the smallest, twice the next, and never less than one before."""
    assert adjust_holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


def test_no_p_values_and_one() -> None:
    """Nothing is adjusted where there is nothing else."""
    assert (adjust_holm([]), adjust_holm([0.2])) == ([], [0.2])


def test_runs_that_cannot_be_told_apart_share_a_group() -> None:
    """The first group is the best run's; c differs from a, d from nothing."""
    apart = {frozenset("ac"), frozenset("ad")}
    found = group_leaders({"d": 0.5, "a": 0.8, "c": 0.6, "b": 0.7}, lambda one, other: frozenset((one, other)) in apart)
    assert found == [["a", "b"], ["c", "d"]]


def test_equal_runs_come_by_name() -> None:
    """So that the order is the same each time."""
    assert group_leaders({"z": 0.5, "a": 0.5}, lambda *_: False) == [["a", "z"]]


def test_no_runs_have_no_groups() -> None:
    """And one is alone in its own."""
    assert group_leaders({}, lambda *_: True) == []
    assert group_leaders({"a": 0.1}, lambda *_: True) == [["a"]]
