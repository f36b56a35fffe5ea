"""The page's tables of accuracies and differences, each with a plot: runs, pairs, groups. Cells are texts, ready to show."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.comparing.pairs import list_ends
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.pages.axes import Axis, choose_axis
from tasks.evaluation.pages.gathering import Findings
from tasks.evaluation.pages.wording import (
    format_count,
    format_difference,
    format_difference_ends,
    format_ends,
    format_probability,
    format_share,
)
from tasks.evaluation.statistics.accuracy import Accuracy, measure_scores
from tasks.evaluation.statistics.intervals import Interval

NO_GROUP = "without a value"
# A chance level farther than this below all runs would squeeze them into a corner of the plot; it is named beside it.
FARTHEST_CHANCE = 0.15


@dataclass(frozen=True)
class Mark:
    """A value with its interval, as a plot shows it: places as percentages of the plot's width."""

    at: str
    """Where the value stands."""
    low: str | None
    """Where its interval begins; None without one."""
    high: str | None
    """Where its interval ends; None without one."""


@dataclass(frozen=True)
class RunRow:
    """A run's accuracy."""

    accuracy: str
    """The accuracy."""
    ends: str
    """Its interval."""
    mark: Mark | None
    """Both in the plot; None without a score."""
    bounds: tuple[str, str] | None
    """In the plot, what its missing questions could do to it; None if nothing is missing."""
    chance: str
    """What guessing reaches."""
    is_above_chance: bool | None
    """Whether the accuracy is more than that; None if it cannot be said."""
    scored: str
    """The number of questions with a score, of those selected."""


@dataclass(frozen=True)
class RunTable:
    """The runs' accuracies."""

    rows: tuple[RunRow, ...]
    """A row for each run."""
    axis: Axis
    """The axis of all marks."""
    chance: str | None
    """Where the chance level stands in the plot, if all runs have the same and it is near enough."""


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


@dataclass(frozen=True)
class GroupRow:
    """A group of questions."""

    name: str
    """Its name."""
    count: str
    """The number of its questions."""
    accuracies: tuple[str, ...]
    """Each run's accuracy."""
    marks: tuple[Mark, ...]
    """Each run's accuracy in the plot."""
    difference: str
    """Of two runs, the first's accuracy minus the second's, in points; else empty."""
    ends: str
    """The difference's interval."""
    p: str
    """Its p-value, adjusted for the number of groups."""


@dataclass(frozen=True)
class GroupTable:
    """The groups, and the axis of their plot."""

    rows: tuple[GroupRow, ...]
    """The groups: for two runs the largest difference first, else by name."""
    axis: Axis
    """The axis of all marks."""
    is_paired: bool
    """True if two runs are compared."""
    title: str
    """What the groups are."""
    remark: str
    """Which questions are counted."""


def build_run_table(figures: Sequence[ComparedRun]) -> RunTable:
    """Return the accuracies of all runs."""
    values = [run.accuracy for run in figures if run.accuracy is not None]
    bounds = [end for run in figures if run.missing_count and run.bounds for end in run.bounds]
    levels = {run.chance for run in figures}
    [level] = levels if len(levels) == 1 else [None]
    is_near = level is not None and bool(values) and level > min(values) - FARTHEST_CHANCE
    axis = _span([run.interval for run in figures], [*values, *bounds, *([level] if is_near and level is not None else [])])
    chance = axis.place(level) if level is not None and axis.holds(level) else None
    return RunTable(tuple(_show_run(run, axis) for run in figures), axis, chance)


def build_pair_table(comparison: Comparison) -> PairTable:
    """Return the differences of all pairs."""
    ends = [end for pair in comparison.pairs for end in list_ends(pair.found) or (pair.found.difference,)]
    axis = choose_axis([*ends, 0.0], low=-1.0, high=1.0)
    place_of = {run.name: place for place, run in enumerate(comparison.runs)}
    missing = {run.name for run in comparison.runs if run.missing_count}
    rows = []
    for pair in comparison.pairs:
        counts = (pair.both_right, pair.only_a, pair.only_b, pair.neither)
        both, only_a, only_b, neither = counts
        rows.append(
            PairRow(
                a=place_of[pair.a],
                b=place_of[pair.b],
                counts=(format_count(both), format_count(only_a), format_count(only_b), format_count(neither)),
                shares=_share_out(counts),
                difference=format_difference(pair.found.difference),
                ends=format_difference_ends(list_ends(pair.found)),
                mark=mark(pair.found.difference, list_ends(pair.found), axis),
                p=format_probability(pair.p_adjusted),
                bounds=format_difference_ends(pair.difference_bounds)
                if pair.difference_bounds and missing & {pair.a, pair.b}
                else "",
            )
        )
    return PairTable(tuple(rows), axis)


def _show_run(run: ComparedRun, axis: Axis) -> RunRow:
    ends = (run.interval.low, run.interval.high) if run.interval else None
    is_missing = bool(run.missing_count) and run.bounds is not None
    return RunRow(
        accuracy=format_share(run.accuracy),
        ends=format_ends(run.interval),
        mark=None if run.accuracy is None else mark(run.accuracy, ends, axis),
        bounds=(axis.place(run.bounds[0]), axis.place(run.bounds[1])) if is_missing and run.bounds else None,
        chance=format_share(run.chance),
        is_above_chance=run.is_above_chance,
        scored=f"{run.scored:,} of {run.selected:,}",
    )


def _share_out(counts: tuple[int, int, int, int]) -> tuple[str, str, str, str]:
    """Return the counts as percentages of their sum."""
    total = sum(counts)
    both, only_a, only_b, neither = (f"{100 * count / total:.3f}%" for count in counts)
    return both, only_a, only_b, neither


def build_group_table(findings: Findings) -> GroupTable | None:
    """Return the accuracies by group, else by format; None if there is only one of either."""
    if findings.comparison:
        return _compare_groups(findings.comparison)
    [statistics] = findings.statistics
    is_grouped = bool(statistics.by_group)
    measured = dict(statistics.by_group if is_grouped else statistics.by_format)
    if len(measured) < (1 if is_grouped else 2):
        return None
    axis = _span([each.interval for each in measured.values()], [each.accuracy for each in measured.values()])
    rows = [
        GroupRow(
            name or NO_GROUP,
            format_count(each.count),
            (format_share(each.accuracy),),
            (_mark(each, axis),),
            "",
            format_ends(each.interval),
            "",
        )
        for name, each in measured.items()
    ]
    title = f"By {findings.group_by}" if is_grouped else "By format"
    return GroupTable(tuple(rows), axis, is_paired=False, title=title, remark="")


def _compare_groups(comparison: Comparison) -> GroupTable | None:
    shared = comparison.shared
    if not shared.group_names or not comparison.group_by:
        return None
    measured = {
        name: tuple(measure_scores(scores[shared.groups == code]) for scores in shared.scores)
        for code, name in enumerate(shared.group_names)
    }
    known = {name: tuple(each for each in own if each) for name, own in measured.items() if all(own)}
    every = [each for own in known.values() for each in own]
    axis = _span([each.interval for each in every], [each.accuracy for each in every])
    is_paired = len(comparison.runs) == 2
    differences = {group.group: group for group in comparison.pairs[0].groups} if is_paired else {}
    rows = []
    for name in differences or sorted(known):
        group = differences.get(name)
        rows.append(
            GroupRow(
                name=name or NO_GROUP,
                count=format_count(known[name][0].count),
                accuracies=tuple(format_share(each.accuracy) for each in known[name]),
                marks=tuple(_mark(each, axis) for each in known[name]),
                difference=format_difference(group.found.difference) if group else "",
                ends=format_difference_ends(list_ends(group.found)) if group else "",
                p=format_probability(group.p_adjusted) if group else "",
            )
        )
    remark = f"On the {comparison.common:,} questions that {'both' if is_paired else 'all'} have scored."
    return GroupTable(tuple(rows), axis, is_paired, f"By {comparison.group_by}", remark)


def _span(intervals: Sequence[Interval | None], values: Sequence[float]) -> Axis:
    ends = [end for each in intervals if each for end in (each.low, each.high)]
    return choose_axis([*ends, *values], low=0.0, high=1.0)


def _mark(measured: Accuracy, axis: Axis) -> Mark:
    return mark(measured.accuracy, (measured.interval.low, measured.interval.high) if measured.interval else None, axis)


def mark(value: float, ends: tuple[float, float] | None, axis: Axis) -> Mark:
    """Return where a value and its interval stand on the axis."""
    low, high = (axis.place(end) for end in ends) if ends else (None, None)
    return Mark(axis.place(value), low, high)
