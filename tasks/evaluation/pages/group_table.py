"""The page's table of groups, with a plot. Cells are texts, ready to show."""

from dataclasses import dataclass

from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.comparing.pairs import list_ends
from tasks.evaluation.pages.axes import Axis, Mark, choose_accuracy_axis, mark_accuracy
from tasks.evaluation.pages.gathering import Findings
from tasks.evaluation.pages.wording import (
    format_count,
    format_difference,
    format_difference_ends,
    format_ends,
    format_probability,
    format_share,
)
from tasks.evaluation.statistics.accuracy import measure_scores

NO_GROUP = "without a value"


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


def build_group_table(findings: Findings) -> GroupTable | None:
    """Return the accuracies by group, else by format; None if there is only one of either."""
    if findings.comparison:
        return _compare_groups(findings.comparison)
    [statistics] = findings.statistics
    is_grouped = bool(statistics.by_group)
    measured = dict(statistics.by_group if is_grouped else statistics.by_format)
    if len(measured) < (1 if is_grouped else 2):
        return None
    axis = choose_accuracy_axis([each.interval for each in measured.values()], [each.accuracy for each in measured.values()])
    rows = [
        GroupRow(
            name or NO_GROUP,
            format_count(each.count),
            (format_share(each.accuracy),),
            (mark_accuracy(each, axis),),
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
    axis = choose_accuracy_axis([each.interval for each in every], [each.accuracy for each in every])
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
                marks=tuple(mark_accuracy(each, axis) for each in known[name]),
                difference=format_difference(group.found.difference) if group else "",
                ends=format_difference_ends(list_ends(group.found)) if group else "",
                p=format_probability(group.p_adjusted) if group else "",
            )
        )
    remark = f"On the {comparison.common:,} questions that {'both' if is_paired else 'all'} have scored."
    return GroupTable(tuple(rows), axis, is_paired, f"By {comparison.group_by}", remark)
