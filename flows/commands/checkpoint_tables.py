"""Checkpoints as the terminal shows them: a table of many, or the facts of one."""

from collections.abc import Sequence
from pathlib import Path

from flows.process.terminal import print_line, printable
from tasks.evaluation.resuming.overview import Overview, Tally
from tasks.evaluation.storage.checkpoint_folder import DamagedCheckpoint

COLUMNS = ("file", "time", "model", "questions", "progress", "size", "state")
THOUSAND = 1000


def print_table(overviews: Sequence[Overview], damaged: Sequence[DamagedCheckpoint]) -> None:
    """Print a table with a line for each checkpoint, the damaged ones last."""
    rows = [*map(_row, overviews), *map(_damaged_row, damaged)]
    lines = [COLUMNS, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        print_line("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def describe_pairs(overview: Overview, counted: Tally) -> list[tuple[str, str]]:
    """Return the facts that a checkpoint records about itself, each with its name."""
    pairs = [
        ("Checkpoint", overview.file),
        ("Time", overview.time),
        ("Model", overview.model),
        ("Questions", overview.questions_file),
        ("Sample", overview.sample),
        ("Progress", f"{overview.progress}, {overview.state}"),
        ("Accuracy", str(counted.accuracy or "none, no question is scored yet")),
        ("Refused or skipped", f"{counted.refused:,}"),
        ("Cannot be asked", f"{counted.unusable:,}"),
        ("Grader", overview.grader or "none: by what is read from the answer"),
        ("Evaluation", overview.evaluation_id or "none: made by the original scorer"),
        ("Size", format_size(overview.size_bytes)),
    ]
    if counted.failed:
        pairs.insert(-3, ("Failed, asked again", f"{counted.failed:,}"))
    return pairs


def format_size(size_bytes: int) -> str:
    """Return the size in the largest unit that gives at least 1, up to GB."""
    if size_bytes < THOUSAND:
        return f"{size_bytes} B"
    size = size_bytes / THOUSAND
    for unit in ("kB", "MB"):
        if size < THOUSAND:
            return f"{size:.1f} {unit}"
        size /= THOUSAND
    return f"{size:,.1f} GB"


def _row(overview: Overview) -> list[str]:
    return [
        Path(overview.file).name,
        overview.time.replace("T", " "),
        overview.model,
        overview.questions_file,
        overview.progress,
        format_size(overview.size_bytes),
        overview.state + (", latest" if overview.is_latest else ""),
    ]


def _damaged_row(damaged: DamagedCheckpoint) -> list[str]:
    return [damaged.path.name, "", "", "", "", format_size(damaged.path.stat().st_size), f"damaged: {damaged.reason}"]
