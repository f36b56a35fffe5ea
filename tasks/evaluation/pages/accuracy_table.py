"""The page's table of accuracies, with a plot. Cells are texts, ready to show."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.pages.axes import Axis, Mark, choose_accuracy_axis, mark
from tasks.evaluation.pages.wording import format_ends, format_share

# A chance level farther than this below all runs would squeeze them into a corner of the plot; it is named beside it.
FARTHEST_CHANCE = 0.15


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


def build_run_table(figures: Sequence[ComparedRun]) -> RunTable:
    """Return the accuracies of all runs."""
    values = [run.accuracy for run in figures if run.accuracy is not None]
    bounds = [end for run in figures if run.missing_count and run.bounds for end in run.bounds]
    levels = {run.chance for run in figures}
    [level] = levels if len(levels) == 1 else [None]
    nearby = [level] if level is not None and values and level > min(values) - FARTHEST_CHANCE else []
    axis = choose_accuracy_axis([run.interval for run in figures], [*values, *bounds, *nearby])
    chance = axis.place(level) if level is not None and axis.holds(level) else None
    return RunTable(tuple(_show_run(run, axis) for run in figures), axis, chance)


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
