"""A history as one HTML file: for each questions file the accuracies over time with their intervals, and a table of the runs.

Each evaluation has a plot of its own below the others, on the same axes, so that lines and intervals never cover each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.evaluation.history.evaluations import Entry, History
from tasks.evaluation.history.table import TEXTS, list_rows
from tasks.evaluation.history.variants import describe_variants
from tasks.evaluation.pages.axes import Axis, choose_axis
from tasks.evaluation.pages.template import render_page
from tasks.evaluation.pages.wording import format_difference, format_share

TEMPLATE = "history.html.j2"
STYLE_FILES = ("style/1_base.css", "style/2_tables.css", "style/4_print.css", "history/*.css")
MOST_DATES = 6
# Where the first and the last run stand, in per cent of the plot's width: their dots need room.
FIRST_PLACE, LAST_PLACE = 2.0, 98.0


@dataclass(frozen=True)
class Dot:
    """A run in a plot; places are percentages of its width and height, from the left and from the top."""

    x: str
    """Where its time stands."""
    y: str
    """Where its accuracy stands."""
    low: str | None
    """Where its interval begins; None without one."""
    high: str | None
    """Where its interval ends."""
    counts: bool
    """False for a run that does not count in the history, which no line leads through."""
    title: str
    """What the run is, for whoever points at it."""


@dataclass(frozen=True)
class Lane:
    """The plot of one evaluation."""

    model: str
    """Its model."""
    variant: str
    """How it differs from others of the same model; empty if there is no other."""
    latest: str
    """The accuracy of its last run that counts."""
    change: str
    """By how many points that differs from the run before; empty for the first."""
    dots: tuple[Dot, ...]
    """Its runs, the oldest first."""

    @property
    def line(self) -> list[Dot]:
        """Return the runs that count."""
        return [dot for dot in self.dots if dot.counts]


@dataclass(frozen=True)
class Part:
    """The history of one questions file."""

    questions: str
    """The file's name."""
    axis: Axis
    """The accuracies, from the bottom to the top of each plot."""
    dates: tuple[tuple[str, str], ...]
    """Where dates stand below the plots, and the dates."""
    lanes: tuple[Lane, ...]
    """The plots, that of the evaluation with the newest run first."""
    headings: tuple[str, ...]
    """The table's headings."""
    rows: tuple[tuple[str, ...], ...]
    """The table's rows, the newest run first."""
    texts: frozenset[str]
    """The headings of columns of text."""


def write_history_page(history: History) -> str:
    """Return the page, which needs no network and no script."""
    parts = [_make_part(questions, entries) for questions, entries in history.by_questions().items()]
    times = [entry.run.time for entry in history.entries]
    context = {
        "parts": parts,
        "run_count": len(times),
        "first": f"{min(times):%d %B %Y}".lstrip("0"),
        "last": f"{max(times):%d %B %Y}".lstrip("0"),
        "left_out": history.left_out,
    }
    return "".join(render_page(context, TEMPLATE, style_files=STYLE_FILES, script_files=()))


def _make_part(questions: str, entries: Sequence[Entry]) -> Part:
    shown = [entry for entry in entries if entry.run.accuracy is not None]
    ends = [end for entry in shown for end in (entry.run.accuracy, *(entry.run.interval or ())) if end is not None]
    axis = choose_axis(ends, low=0, high=1)
    times = [entry.run.time for entry in entries]
    variants = describe_variants([entry.run for entry in entries])
    newest_first = dict.fromkeys(entry.run.history_id for entry in reversed(shown))
    lanes = [
        _make_lane([entry for entry in shown if entry.run.history_id == name], variants[name], axis, times)
        for name in newest_first
    ]
    rows = list_rows(entries)
    return Part(
        questions or "questions of unknown origin",
        axis,
        tuple(_list_dates(times)),
        tuple(lanes),
        tuple(rows[0]),
        tuple(tuple(row.values()) for row in rows),
        TEXTS,
    )


def _make_lane(entries: Sequence[Entry], variant: str, axis: Axis, times: Sequence[datetime]) -> Lane:
    counted = [entry for entry in entries if not entry.mark]
    last = (counted or entries)[-1]
    sign = "+" if last.difference and last.difference > 0 else ""
    change = "" if last.difference is None else f"{sign}{format_difference(last.difference)} points"
    dots = [_make_dot(entry, axis, times) for entry in entries]
    return Lane(last.run.saved.model, variant, format_share(last.run.accuracy), change, tuple(dots))


def _make_dot(entry: Entry, axis: Axis, times: Sequence[datetime]) -> Dot:
    run = entry.run
    assert run.accuracy is not None, "others are not shown"
    low, high = (_place_up(axis, end) for end in run.interval) if run.interval else (None, None)
    about = f"{run.time:%Y-%m-%d %H:%M}, {format_share(run.accuracy)} of {run.scored:,} questions"
    title = f"{about}, {entry.mark}" if entry.mark else about
    return Dot(_place_time(run.time, times), _place_up(axis, run.accuracy), low, high, not entry.mark, title)


def _place_up(axis: Axis, value: float) -> str:
    """Return where the value stands from the top, with the axis upright."""
    share = (value - axis.low) / (axis.high - axis.low)
    return f"{100 * (1 - min(max(share, 0.0), 1.0)):.2f}%"


def _place_time(time: datetime, times: Sequence[datetime]) -> str:
    first, last = min(times), max(times)
    share = (time - first) / (last - first) if last > first else 0.5
    return f"{FIRST_PLACE + (LAST_PLACE - FIRST_PLACE) * share:.2f}%"


def _list_dates(times: Sequence[datetime]) -> list[tuple[str, str]]:
    """Return a few dates, evenly spread over the time of the runs, and where they stand."""
    first, last = min(times), max(times)
    count = min(MOST_DATES, (last - first).days + 1)
    steps = [first + (last - first) * number / (count - 1) for number in range(count)] if count > 1 else [first]
    return [(_place_time(step, times), f"{step:%d %b}".lstrip("0")) for step in steps]
