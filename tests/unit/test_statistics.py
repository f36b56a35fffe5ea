"""The numbers of a run: what its scores come to, and what is left out of them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tasks.evaluation.statistics.accuracy import measure_scores
from tasks.evaluation.statistics.arrays import Bools
from tasks.evaluation.statistics.intervals import measure_interval
from tasks.evaluation.statistics.repeat_summary import RepeatTable, summarize_repeats
from tasks.evaluation.statistics.retrieval_summary import NO_SOURCE, NOT_RETRIEVED, RetrievalTable
from tasks.evaluation.statistics.summary import ScoreTable, Statistics, summarize


def no_retrieval(count: int) -> RetrievalTable:
    nothing = np.zeros(count, dtype=np.int64)
    return RetrievalTable(nothing + NOT_RETRIEVED, nothing, np.full(count, math.nan), nothing)


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
    clusters=None,
    right=np.array([0, 1, -1, 0]),
    chosen=np.array([0, -1, -1, -1]),
    labels=["A", "B"],
    choice_counts=np.array([2, 4, 0, 2]),
    brier=np.full(4, math.nan),
    confidences=np.full(4, math.nan),
    retrieval=no_retrieval(4),
    repeats=RepeatTable(np.zeros((4, 0)), np.zeros((4, 0), dtype=np.int64), np.zeros((4, 0), dtype=np.int64)),
)
FIRST_TWO = np.array([True, True, False, False])


def select(table: ScoreTable, rows: Bools) -> ScoreTable:
    """Return the table of these rows."""
    columns = {name: value[rows] for name, value in vars(table).items() if isinstance(value, np.ndarray)}
    parts = {"repeats": table.repeats.select(rows), "retrieval": table.retrieval.select(rows)}
    return replace(table, **columns, **parts)  # type: ignore[arg-type]


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
    statistics = summarize(select(TABLE, np.zeros(4, dtype=bool)), selected=3, unusable=0)
    assert (statistics.overall, statistics.by_format, statistics.by_group, statistics.f1) == (None, {}, {}, None)
    assert measure_scores([]) is None


def test_chance_is_the_mean_share_of_right_choices() -> None:
    """Two choices and four: guessing is right in three of eight; one right of two is not above that."""
    statistics = summarize(select(TABLE, FIRST_TWO), selected=2, unusable=0)
    assert (statistics.chance, statistics.is_above_chance) == (0.375, False)


def test_a_short_answer_has_no_chance(statistics: Statistics) -> None:
    """Nobody guesses among all words."""
    assert (statistics.chance, statistics.is_above_chance) == (None, None)


def test_fractional_scores_are_above_chance_if_their_interval_is() -> None:
    """The exact test is for scores of 0 and 1."""
    many = select(TABLE, np.array([True, False, False, False]).repeat(1))
    scores, counts = np.tile([0.75, 1.0], 50), np.full(100, 2)
    rows = {name: np.resize(value, 100) for name, value in vars(many).items() if isinstance(value, np.ndarray)}
    table = replace(many, **rows | {"scores": scores, "choice_counts": counts}, repeats=NO_REPEATS, retrieval=no_retrieval(100))
    statistics = summarize(table, selected=100, unusable=0)
    assert (statistics.chance, statistics.is_above_chance) == (0.5, True)


def test_the_bounds_are_those_of_all_that_is_missing(statistics: Statistics) -> None:
    """One refused and two not scored yet, of six: all wrong, or all right."""
    assert statistics.bounds == (1.5 / 6, 4.5 / 6)


def test_clusters_widen_the_interval_and_the_groups_have_their_own() -> None:
    """Four questions of two passages are no four questions."""
    alike = replace(TABLE, scores=np.array([1.0, 1.0, 0.0, 0.0]), clusters=np.array([5, 5, 9, 9]), groups=np.zeros(4, int))
    statistics = summarize(alike, selected=4, unusable=0)
    assert statistics.overall
    assert statistics.overall.interval
    assert statistics.overall.interval.method == statistics.by_group["law"].interval.method == "clustered-t"  # type: ignore[union-attr]
    assert statistics.overall.standard_error == pytest.approx(0.5)


# Three questions, four repeats each: A, right; B, where A is right; and a short answer.
REPEATS = RepeatTable(
    scores=np.array([[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]]),
    choices=np.array([[0, 0, 1, 0], [1, 1, 0, 2], [-1, -1, -1, -1]]),
    right_places=np.array([[1, 2, 1, 2], [2, 1, 2, 1], [0, 0, 0, 0]]),
)
NO_REPEATS = RepeatTable(np.zeros((100, 0)), np.zeros((100, 0), dtype=np.int64), np.zeros((100, 0), dtype=np.int64))


def test_repeats_are_summed_up_by_question() -> None:
    """Chen's pass@k, the majority's answer, and who changes."""
    summary = summarize_repeats(REPEATS, np.array([0, 0, -1]))
    assert summary
    assert (summary.count, summary.majority, summary.changing) == (4, 0.5, 1.0)
    assert summary.pass_at == pytest.approx({1: 0.5, 2: (1 + 0.5 + 5 / 6) / 3, 4: 1.0})


def test_the_accuracy_by_place_counts_repeats(statistics: Statistics) -> None:
    """Where the right choice was shown first: one right of four."""
    summary = summarize_repeats(REPEATS, np.array([0, 0, -1]))
    assert summary
    assert [(row.position, row.count, row.accuracy) for row in summary.by_position] == [(1, 4, 0.25), (2, 4, 0.75)]
    assert statistics.repeats is None


def test_the_accuracy_by_place_has_the_question_as_its_unit() -> None:
    """Two answers to each of fifty questions, always alike, tell no more than one; of a cluster of questions neither."""
    alike = np.arange(50) % 2 == 0
    table = RepeatTable(np.column_stack([alike, alike]).astype(float), np.zeros((50, 2), int), np.ones((50, 2), int))
    right = np.zeros(50, dtype=np.int64)
    [by_question] = summarize_repeats(table, right).by_position  # type: ignore[union-attr]
    [by_pair] = summarize_repeats(table, right, np.arange(50) // 2).by_position  # type: ignore[union-attr]
    expected = measure_interval(alike.astype(float), np.arange(50))
    assert (by_question.count, by_question.interval) == (100, expected)
    assert by_question.to_json()["interval_method"] == "clustered-t"
    assert by_pair.interval is None  # each pair has one right and one wrong, so that no pair differs from another


def test_the_accuracy_by_place_is_that_of_independent_answers_if_each_question_comes_once() -> None:
    """As with as many repeats as choices: Wilson's interval."""
    summary = summarize_repeats(
        RepeatTable(np.array([[1.0, 0.0]] * 4), np.zeros((4, 2), int), np.array([[1, 2]] * 4)), np.zeros(4, dtype=np.int64)
    )
    assert summary
    assert [row.interval for row in summary.by_position] == [measure_interval(np.ones(4)), measure_interval(np.zeros(4))]


def test_a_tied_majority_is_drawn() -> None:
    """Two for the right choice and two for another are half a point; four who choose nothing score 0."""
    tied = RepeatTable(
        np.array([[1.0, 0.0, 1.0, 0.0], [0.0] * 4]), np.array([[0, 1, 0, 1], [-1] * 4]), np.zeros((2, 4), dtype=np.int64)
    )
    summary = summarize_repeats(tied, np.array([0, 0]))
    assert summary
    assert summary.majority == 0.25


def test_graded_repeats_have_no_tries() -> None:
    """Half a point is neither right nor wrong."""
    graded = RepeatTable(np.array([[0.5, 1.0]]), np.array([[-1, -1]]), np.zeros((1, 2), dtype=np.int64))
    summary = summarize_repeats(graded, np.array([-1]))
    assert summary
    assert (summary.pass_at, summary.majority) == ({}, 1.0)


def test_retrieval_is_measured_where_a_record_names_its_source() -> None:
    """Accuracy with the right chunk and without it, recall by k and by group; a refused question counts for nothing."""
    table = RetrievalTable(
        ranks=np.array([2, 0, NO_SOURCE, 1]),
        counts=np.array([3, 3, 0, 3]),
        scores=np.array([0.75, 0.5, math.nan, 0.9]),
        dropped=np.array([1, 0, 0, 2]),
    )
    found = summarize(replace(TABLE, retrieval=table), selected=4, unusable=0).retrieval
    assert found
    assert (found.count, found.without_any, found.dropped, found.score) == (3, 1, 1, 0.625)
    assert (found.recall.hit_rate, found.recall.at) == (0.5, (0.0, 0.5, 0.5))
    assert found.where_found
    assert found.where_not
    assert (found.where_found.accuracy, found.where_not.accuracy) == (1.0, 0.0)
    assert {name: (recall.found, recall.with_source) for name, recall in found.by_group.items()} == {"": (1, 1), "law": (0, 1)}


def test_without_retrieval_nothing_is_said_of_it(statistics: Statistics) -> None:
    """Nor where no record names its source, of how often it was found."""
    assert statistics.retrieval is None
    assert "retrieval" not in statistics.to_json()
    unknown = replace(TABLE.retrieval, ranks=np.full(4, NO_SOURCE), counts=np.ones(4, dtype=np.int64), scores=np.ones(4))
    found = summarize(replace(TABLE, retrieval=unknown), selected=4, unusable=0).retrieval
    assert found
    assert (found.recall.hit_rate, found.recall.at, found.where_found, dict(found.by_group)) == (None, (), None, {})
