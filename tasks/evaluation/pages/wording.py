"""Numbers and names as the page writes them."""

from datetime import datetime
from pathlib import Path

from tasks.evaluation.comparing.sentences import format_points
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting
from tasks.evaluation.statistics.intervals import Interval

NOTHING, MINUS = "–", "−"
SPACE = "\u00a0"  # before a per cent sign, which no line break may part from its number


def format_share(share: float | None, places: int = 1) -> str:
    """Return a share in per cent; a dash for none."""
    return NOTHING if share is None else f"{100 * share:.{places}f}{SPACE}%"


def format_ends(interval: Interval | tuple[float, float] | None) -> str:
    """Return an interval of shares in per cent; a dash for none."""
    if interval is None:
        return NOTHING
    low, high = (interval.low, interval.high) if isinstance(interval, Interval) else interval
    return f"{100 * low:.1f} to {format_share(high)}"


def format_difference(difference: float) -> str:
    """Return a difference in percentage points, with a minus sign as wide as a plus."""
    return format_points(difference).replace("-", MINUS)


def format_difference_ends(ends: tuple[float, float] | None) -> str:
    """Return an interval of differences in percentage points; a dash for none."""
    return NOTHING if ends is None else f"{format_difference(ends[0])} to {format_difference(ends[1])}"


def format_probability(p: float | None) -> str:
    """Return a p-value; a dash for none."""
    if p is None:
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def format_count(count: int) -> str:
    """Return a number with its thousands apart."""
    return f"{count:,}"


def read_date(run: SavedRun) -> str:
    """Return when the run began, to the minute; empty if its file does not say."""
    written: JsonValue = read_setting(run.metadata, "evaluation_metadata", "timestamp")
    try:
        return f"{datetime.fromisoformat(written):%d %B %Y, %H:%M}".lstrip("0") if isinstance(written, str) else ""
    except ValueError:
        return ""


def name_questions(runs: tuple[SavedRun, ...]) -> str:
    """Return the names of the runs' questions files."""
    names = dict.fromkeys(Path(run.questions_file).name for run in runs if run.questions_file)
    return ", ".join(names) or "questions of unknown origin"
