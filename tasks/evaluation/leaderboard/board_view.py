"""A board as the page shows it: texts that are ready to show, and places in plots."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.evaluation.comparing.pairs import Pair, list_ends
from tasks.evaluation.comparing.sentences import reverse
from tasks.evaluation.leaderboard.board import Board, Row
from tasks.evaluation.leaderboard.effects import Effect, sum_up
from tasks.evaluation.leaderboard.table import UNKNOWN, describe_leaders, describe_missing, describe_progress
from tasks.evaluation.pages.axes import Axis, Mark, choose_accuracy_axis, choose_axis, mark
from tasks.evaluation.pages.group_table import NO_GROUP
from tasks.evaluation.pages.wording import (
    format_count,
    format_difference,
    format_difference_ends,
    format_ends,
    format_probability,
    format_share,
)
from tasks.evaluation.spending.costs import format_dollars


@dataclass(frozen=True)
class ShownDifference:
    """A difference of two cells."""

    points: str
    """The difference, in points."""
    ends: str
    """Its interval."""
    p: str
    """Its p-value, adjusted."""
    mark: Mark | None
    """It in a plot, if there is one."""
    is_told: bool
    """True if the two can be told apart."""


@dataclass(frozen=True)
class ShownRow:
    """A cell."""

    name: str
    """What it is called."""
    missing: str
    """Why it has no results, or which questions have no score; may be empty."""
    has_results: bool
    """False if it has none; the texts below are empty then, unless it has something so far."""
    so_far: str
    """How far it is, if it is not finished and has something; the accuracy and the interval are that far."""
    accuracy: str
    """The accuracy."""
    ends: str
    """Its interval."""
    mark: Mark | None
    """Both in the plot; None without a score."""
    letters: str
    """Its letters."""
    is_leader: bool
    """Whether it is the best cell, or cannot be told apart from it."""
    to_best: ShownDifference | None
    """It less the best cell."""
    counts: tuple[tuple[str, str], ...]
    """Its other figures, by their names."""


@dataclass(frozen=True)
class ShownEffect:
    """A condition for a model."""

    name: str
    """The model and the condition."""
    base: str
    """The condition that it is compared with."""
    difference: ShownDifference | None
    """What the condition adds; None if that cannot be said."""
    sentence: str
    """The same in words."""


@dataclass(frozen=True)
class BoardView:
    """A board."""

    questions: str
    """The questions file."""
    leaders: str
    """The sentence on the best cells."""
    rows: tuple[ShownRow, ...]
    """The cells."""
    axis: Axis
    """The axis of the accuracies."""
    effects: tuple[ShownEffect, ...]
    """What the conditions do for each model."""
    effect_axis: Axis
    """The axis of their differences."""
    effect_sentences: tuple[str, ...]
    """The same summed up."""
    matrix: tuple[tuple[ShownDifference | None, ...], ...]
    """For each scored cell but the last, its difference to each worse one; None where no question is shared."""
    group_by: str | None
    """The field whose values are groups; None without one."""
    groups: tuple[tuple[str, str, tuple[str, ...]], ...]
    """For each group its name, the most questions that a cell has scored of it, and each scored cell's accuracy."""
    pair_count: int
    """The number of pairs, for which p is adjusted."""
    doubts: tuple[str, ...]
    """What keeps cells from being comparable."""


def view_board(board: Board) -> BoardView:
    """Return the board as the page shows it."""
    figures = [row.figures for row in board.rows if row.figures]
    values = [each.accuracy for each in figures if each.accuracy is not None]
    axis = choose_accuracy_axis([each.interval for each in figures], values)
    found = [each.pair.found for each in board.effects if each.pair]
    ends = [end for each in found for end in list_ends(each) or (each.difference,)]
    effect_axis = choose_axis([*ends, 0.0], low=-1.0, high=1.0)
    return BoardView(
        board.questions,
        describe_leaders(board),
        tuple(_show_row(row, axis) for row in board.rows),
        axis,
        tuple(_show_effect(effect, effect_axis) for effect in board.effects),
        effect_axis,
        tuple(sum_up(board.effects)),
        tuple(_list_matrix(board)),
        board.group_by,
        tuple(_list_groups(board)),
        len(board.pairs),
        board.doubts,
    )


def _show_row(row: Row, axis: Axis) -> ShownRow:
    figures = row.figures or row.so_far
    if figures is None:
        return ShownRow(row.cell.name, row.cell.missing, False, "", "", "", None, "", False, None, ())
    ends = (figures.interval.low, figures.interval.high) if figures.interval else None
    return ShownRow(
        name=row.cell.name,
        missing=row.cell.missing if row.so_far else describe_missing(figures),
        has_results=row.figures is not None,
        so_far=describe_progress(row.so_far) if row.so_far else "",
        accuracy=format_share(figures.accuracy),
        ends=format_ends(figures.interval),
        mark=mark(row.accuracy, ends, axis) if row.accuracy is not None else None,
        letters=row.letters,
        is_leader=row.is_leader,
        to_best=_show_difference(row.against_best, is_turned=True) if row.against_best else None,
        counts=(
            ("Scored", format_count(figures.scored)),
            ("Tokens", UNKNOWN if row.tokens is None else format_count(row.tokens)),
            ("Cost, USD", UNKNOWN if row.cost is None else format_dollars(row.cost).removeprefix("$")),
            ("Seconds each", UNKNOWN if row.seconds is None else f"{row.seconds:.1f}"),
        ),
    )


def _show_effect(effect: Effect, axis: Axis) -> ShownEffect:
    difference = _show_difference(effect.pair, axis=axis) if effect.pair else None
    return ShownEffect(f"{effect.model}, {effect.condition}", effect.base, difference, effect.sentence)


def _show_difference(pair: Pair, *, is_turned: bool = False, axis: Axis | None = None) -> ShownDifference:
    """Return the difference a - b; turned: b - a."""
    found = reverse(pair.found) if is_turned else pair.found
    return ShownDifference(
        format_difference(found.difference),
        format_difference_ends(list_ends(found)),
        format_probability(pair.p_adjusted),
        mark(found.difference, list_ends(found), axis) if axis else None,
        is_told=pair.verdict != "cannot tell",
    )


def _list_matrix(board: Board) -> list[tuple[ShownDifference | None, ...]]:
    names = [row.cell.name for row in board.rows if row.accuracy is not None]
    pairs = {(pair.a, pair.b): _show_difference(pair) for pair in board.pairs}
    return [tuple(pairs.get((name, other)) for other in names[place + 1 :]) for place, name in enumerate(names[:-1])]


def _list_groups(board: Board) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    rows = [row for row in board.rows if row.accuracy is not None]
    for name in sorted({name for row in rows for name in row.by_group}):
        measured = [row.by_group.get(name) for row in rows]
        count = max(each.count for each in measured if each)
        yield name or NO_GROUP, format_count(count), tuple(format_share(each.accuracy if each else None) for each in measured)
