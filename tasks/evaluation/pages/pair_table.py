"""The page's table of differences, one for each pair of runs, with a plot. Cells are texts, ready to show."""

from dataclasses import dataclass

from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.comparing.pairs import Pair, list_ends
from tasks.evaluation.pages.axes import Axis, Mark, choose_axis, mark
from tasks.evaluation.pages.wording import format_count, format_difference, format_difference_ends, format_probability


@dataclass(frozen=True)
class PairRow:
    """Two runs beside each other."""

    a: int
    """The first run's place."""
    b: int
    """The second run's place."""
    counts: tuple[str, str, str, str]
    """How many questions both, only the first, only the second, and neither has right."""
    shares: tuple[str, str, str, str]
    """The same as percentages of all."""
    difference: str
    """The first's accuracy minus the second's, in points."""
    ends: str
    """The difference's interval."""
    mark: Mark
    """Both in the plot."""
    p: str
    """The p-value, adjusted for the number of pairs."""
    bounds: str
    """The difference with all that is missing counted as wrong or as right; empty if nothing is missing."""


@dataclass(frozen=True)
class PairTable:
    """The differences of runs."""

    rows: tuple[PairRow, ...]
    """A row for each pair."""
    axis: Axis
    """The axis of all marks."""


def build_pair_table(comparison: Comparison) -> PairTable:
    """Return the differences of all pairs."""
    ends = [end for pair in comparison.pairs for end in list_ends(pair.found) or (pair.found.difference,)]
    axis = choose_axis([*ends, 0.0], low=-1.0, high=1.0)
    return PairTable(tuple(_show_pair(pair, comparison, axis) for pair in comparison.pairs), axis)


def _show_pair(pair: Pair, comparison: Comparison, axis: Axis) -> PairRow:
    names = [run.name for run in comparison.runs]
    is_missing = any(run.missing_count for run in comparison.runs if run.name in (pair.a, pair.b))
    both, only_a, only_b, neither = counts = (pair.both_right, pair.only_a, pair.only_b, pair.neither)
    return PairRow(
        a=names.index(pair.a),
        b=names.index(pair.b),
        counts=(format_count(both), format_count(only_a), format_count(only_b), format_count(neither)),
        shares=_share_out(counts),
        difference=format_difference(pair.found.difference),
        ends=format_difference_ends(list_ends(pair.found)),
        mark=mark(pair.found.difference, list_ends(pair.found), axis),
        p=format_probability(pair.p_adjusted),
        bounds=format_difference_ends(pair.difference_bounds) if pair.difference_bounds and is_missing else "",
    )


def _share_out(counts: tuple[int, int, int, int]) -> tuple[str, str, str, str]:
    """Return the counts as percentages of their sum."""
    total = sum(counts)
    both, only_a, only_b, neither = (f"{100 * count / total:.3f}%" for count in counts)
    return both, only_a, only_b, neither
