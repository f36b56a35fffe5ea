"""A history as rows of text, for the terminal, for Markdown and for Prefect's UI, and as JSON for programs."""

from collections.abc import Callable, Sequence

from tasks.evaluation.comparing.sentences import format_points
from tasks.evaluation.history.evaluations import Entry, History
from tasks.evaluation.history.past_runs import PastRun
from tasks.evaluation.history.variants import describe_variants
from tasks.evaluation.json_lines import JsonObject

TIME, MODEL, VARIANT, ACCURACY, INTERVAL = "time", "model", "settings", "accuracy", "95 % interval"
COUNT, REFUSED, DIFFERENCE, REMARK, FILE, RUN = "n", "refused", "points", "remark", "file", "run"
# The headings of columns that hold text.
TEXTS = frozenset((TIME, MODEL, VARIANT, REMARK, FILE, RUN))
NOTHING = ""

Row = dict[str, str]


def list_rows(entries: Sequence[Entry], link: Callable[[PastRun], str] | None = None) -> list[Row]:
    """Return a row for each run, the newest first; a column in which no row has anything is left out.

    Args:
        entries: the runs of one questions file, the oldest first.
        link: returns where to find a run; None: the name of its file is shown instead.
    """
    variants = describe_variants([entry.run for entry in entries])
    rows = [_row(entry, variants[entry.run.history_id], link) for entry in reversed(entries)]
    used = [name for name in _row_names() if any(row[name] for row in rows)]
    return [{name: row[name] for name in used} for row in rows]


def describe_left_out(history: History, most: int = 3) -> list[str]:
    """Return a line for each reason why files were left out, with their number and the first names."""
    by_reason: dict[str, list[str]] = {}
    for each in history.left_out:
        by_reason.setdefault(each.reason, []).append(each.name)
    return [f"Left out, {reason}: {_list_names(names, most)}" for reason, names in by_reason.items()]


def to_json(history: History) -> JsonObject:
    """Return the history as JSON, the newest run first; differences are shares, not points."""
    return {
        "runs": [_to_json(entry) for entry in reversed(history.entries)],
        "left_out": [{"file": each.name, "reason": each.reason} for each in history.left_out],
    }


def format_difference(difference: float | None) -> str:
    """Return the difference in percentage points with its sign; empty for none."""
    if difference is None:
        return NOTHING
    return f"{'+' if difference > 0 else ''}{format_points(difference)}"


def _row_names() -> Sequence[str]:
    return (TIME, MODEL, VARIANT, ACCURACY, INTERVAL, COUNT, REFUSED, DIFFERENCE, REMARK, FILE, RUN)


def _row(entry: Entry, variant: str, link: Callable[[PastRun], str] | None) -> Row:
    run = entry.run
    return {
        TIME: f"{run.time:%Y-%m-%d %H:%M}",
        MODEL: run.saved.model,
        VARIANT: variant,
        ACCURACY: NOTHING if run.accuracy is None else f"{run.accuracy:.4f}",
        INTERVAL: NOTHING if run.interval is None else f"{run.interval[0]:.4f} to {run.interval[1]:.4f}",
        COUNT: f"{run.scored:,}",
        REFUSED: f"{run.refused:,}" if run.refused else NOTHING,
        DIFFERENCE: format_difference(entry.difference),
        REMARK: f"unfinished, {run.unscored:,} left" if entry.mark == "unfinished" else entry.mark,
        FILE: NOTHING if link else run.saved.path.name,
        RUN: link(run) if link else NOTHING,
    }


def _to_json(entry: Entry) -> JsonObject:
    run, provenance = entry.run, entry.run.saved.provenance
    return {
        "time": run.time.isoformat(),
        "model": run.saved.model,
        "questions_file": run.saved.questions_file,
        "history_id": run.history_id,
        "accuracy": run.accuracy,
        "interval": list(run.interval) if run.interval else None,
        "n": run.scored,
        "refused": run.refused,
        "unscored": run.unscored,
        "difference": entry.difference,
        "mark": entry.mark or None,
        "run_id": run.run_id,
        "run_name": provenance.run_name,
        "file": str(run.saved.path),
        "settings": provenance.settings,
    }


def _list_names(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
