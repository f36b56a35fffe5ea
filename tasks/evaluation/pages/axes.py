"""Axes of the page's plots: where a value stands, as a percentage of the plot's width, which SVG scales without distortion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.statistics.intervals import Interval

# The least that an axis spans: within less, a difference that means nothing would look large.
LEAST_SPAN = 0.1
MOST_TICKS = 6
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
MARGIN = 0.04


@dataclass(frozen=True)
class Axis:
    """A line from its lowest value to its highest."""

    low: float
    """The value at the left end."""
    high: float
    """The value at the right end."""
    ticks: tuple[float, ...]
    """The values that are named."""

    def place(self, value: float) -> str:
        """Return where the value stands; a value beyond an end stands at that end."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.2f}%"

    def holds(self, value: float) -> bool:
        """Return True if the value is not beyond an end."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Mark:
    """A value with its interval, as a plot shows it: places as percentages of the plot's width."""

    at: str
    """Where the value stands."""
    low: str | None
    """Where its interval begins; None without one."""
    high: str | None
    """Where its interval ends; None without one."""


def choose_axis(values: list[float], *, low: float, high: float) -> Axis:
    """Return an axis on which all values have room, with ends and ticks at round numbers.

    Args:
        values: what it must hold.
        low: what no value can be below.
        high: what no value can be above.
    """
    first, last = min(values, default=low), max(values, default=high)
    lacking = max(LEAST_SPAN - (last - first), 2 * MARGIN * (last - first)) / 2
    first, last = first - lacking, last + lacking
    # What one end cannot have, the other gets.
    first, last = max(first - max(last - high, 0.0), low), min(last + max(low - first, 0.0), high)
    step = next((step for step in STEPS if (last - first) / step < MOST_TICKS), STEPS[-1])
    start, stop = math.floor(round(first / step, 9)), math.ceil(round(last / step, 9))
    ticks = tuple(round(number * step, 9) for number in range(start, stop + 1))
    return Axis(max(ticks[0], low), min(ticks[-1], high), tuple(tick for tick in ticks if low <= tick <= high))


def choose_accuracy_axis(intervals: Sequence[Interval | None], values: Sequence[float]) -> Axis:
    """Return an axis of accuracies on which all intervals and values have room."""
    ends = [end for each in intervals if each for end in (each.low, each.high)]
    return choose_axis([*ends, *values], low=0.0, high=1.0)


def mark(value: float, ends: tuple[float, float] | None, axis: Axis) -> Mark:
    """Return where a value and its interval stand on the axis."""
    low, high = (axis.place(end) for end in ends) if ends else (None, None)
    return Mark(axis.place(value), low, high)


def mark_accuracy(measured: Accuracy, axis: Axis) -> Mark:
    """Return where an accuracy and its interval stand on the axis."""
    return mark(measured.accuracy, (measured.interval.low, measured.interval.high) if measured.interval else None, axis)
