"""Runs made of a few records, and compared."""

from collections.abc import Sequence
from pathlib import Path

from tasks.evaluation.comparing.comparison import Comparison, compare_runs
from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.json_lines import JsonObject
from tests.support.saved_runs import save_results


def compare(
    folder: Path, *runs: Sequence[JsonObject], group_by: str | None = None, cluster_by: str | None = None
) -> Comparison:
    """Compare runs called a, b, c ... that hold these records."""
    paths = [save_results(folder / f"{name}.json", records) for name, records in zip("abc", runs, strict=False)]
    named = [f"{path.stem}={path}" for path in paths]
    return compare_runs(open_named_runs(named), group_by=group_by, cluster_by=cluster_by)
