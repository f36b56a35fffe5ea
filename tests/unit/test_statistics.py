"""The numbers of a run: what its scores come to, and what is left out of them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tasks.evaluation.statistics.accuracy import measure_scores
from tasks.evaluation.statistics.summary import ScoreTable, Statistics, summarize

# Scored right, wrong and half right, then a refusal: the first two choose among choices, the third is a short answer.
TABLE = ScoreTable(
    scores=np.array([1.0, 0.0, 0.5, math.nan]),
    formats=np.array(["m", "m", "q", "m"]),
    no_choice=np.array([False, True, False, True]),
    clarified=np.array([True, True, False, True]),
    truncated=np.array([False, False, True, False]),
    f1=np.array([math.nan, math.nan, 0.25, math.nan]),
    groups=np.array([2, 0, 2, 1]),
    group_names=["law", "art", ""],
)
COLUMNS = ("scores", "formats", "no_choice", "clarified", "truncated", "f1", "groups")


@pytest.fixture
def statistics() -> Statistics:
    return summarize(TABLE, selected=6, unusable=0)


def test_the_accuracy_is_the_mean_of_the_scores(statistics: Statistics) -> None:
    """With its standard error: the sample's deviation 0.5 over the root of 3."""
    assert statistics.overall
    assert (statistics.overall.count, statistics.overall.accuracy) == (3, 0.5)
    assert statistics.overall.standard_error == pytest.approx(0.5 / math.sqrt(3))


def test_a_refusal_is_no_score(statistics: Statistics) -> None:
    """It is counted by itself, as is what nobody has scored yet, and its marks count for nothing."""
    assert (statistics.refused, statistics.unusable, statistics.unscored) == (1, 0, 2)
    assert (statistics.no_choice, statistics.truncated) == (1, 1)
    assert (statistics.clarified, statistics.clarified_named) == (2, 1)


def test_an_entry_that_cannot_be_asked_is_no_refusal() -> None:
    """Both lack a score; the number of entries tells them apart."""
    statistics = summarize(TABLE, selected=4, unusable=1)
    assert (statistics.refused, statistics.unusable, statistics.unscored) == (0, 1, 0)


def test_each_format_has_its_accuracy(statistics: Statistics) -> None:
    """A single question has no standard error."""
    assert {name: each.accuracy for name, each in statistics.by_format.items()} == {
        "Multiple choice": 0.5,
        "Short answers": 0.5,
    }
    assert statistics.by_format["Short answers"].standard_error is None


def test_groups_come_by_name_and_only_where_something_was_scored(statistics: Statistics) -> None:
    """The refused question was the only one of `art`."""
    assert {name: (each.count, each.accuracy) for name, each in statistics.by_group.items()} == {"": (2, 0.75), "law": (1, 0.0)}
    assert list(statistics.by_group) == ["", "law"]


def test_the_f1_is_the_mean_where_there_is_one(statistics: Statistics) -> None:
    """Of short answers alone."""
    assert statistics.f1 == 0.25


def test_nothing_scored_has_no_accuracy() -> None:
    """Which is not an accuracy of 0."""
    empty = slice(0, 0)
    nothing = replace(TABLE, **{name: getattr(TABLE, name)[empty] for name in COLUMNS})
    statistics = summarize(nothing, selected=3, unusable=0)
    assert (statistics.overall, statistics.by_format, statistics.by_group, statistics.f1) == (None, {}, {}, None)
    assert measure_scores([]) is None
