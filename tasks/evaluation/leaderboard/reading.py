"""Reads the results of a board's cells; a cell whose file cannot be read is missing, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.evaluation.comparing.columns import RunColumns, WantedFields, read_columns
from tasks.evaluation.comparing.comparison import CONFIDENCE, find_field, single_out
from tasks.evaluation.comparing.run_figures import ComparedRun, has_chance, measure_run
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.reporting.cost_report import read_total
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run, read_setting

NO_RESULTS = "no results"
# A file from elsewhere may hold any number.
MOST_DOLLARS = 1e12


@dataclass(frozen=True)
class ReadCell:
    """A cell with its results."""

    cell: CellResult
    """The cell."""
    run: SavedRun
    """Its results file, without the records."""
    columns: RunColumns
    """Its scores."""
    figures: ComparedRun
    """Its accuracy, and what is missing."""

    @property
    def tokens(self) -> int | None:
        """Return the tokens behind all results, of every model that was asked; None if none were reported."""
        by_role = read_setting(self.run.metadata, "tokens", "all_results")
        counts = [read_setting(by_role, role, "total_tokens") for role in by_role] if isinstance(by_role, dict) else []
        return sum(count for count in counts if isinstance(count, int)) or None

    @property
    def cost(self) -> float | None:
        """Return what the results have cost, in US dollars; None if the file does not say."""
        total = read_total(self.run.metadata)
        return total if total is not None and 0 <= total < MOST_DOLLARS else None


def read_cells(cells: Sequence[CellResult]) -> tuple[list[ReadCell], list[CellResult]]:
    """Return the cells that have results, in their order, and those that have none, each with its reason."""
    missing, opened = [], []
    for cell in cells:
        try:
            opened.append((cell, _open(cell)))
        except UserMistake as mistake:
            missing.append(replace(cell, missing=str(mistake)))
    cluster_by, read = find_field([run for _, run in opened], "cluster_by"), []
    for cell, run in opened:
        try:
            read.append(_read(cell, run, cluster_by))
        except UserMistake as mistake:
            missing.append(replace(cell, missing=str(mistake)))
    return read, missing


def _open(cell: CellResult) -> SavedRun:
    if cell.results_file is None:
        raise UserMistake(cell.missing or NO_RESULTS)
    return open_saved_run(cell.results_file, cell.name)


def _read(cell: CellResult, run: SavedRun, cluster_by: str | None) -> ReadCell:
    columns = read_columns(run, WantedFields(None, cluster_by, choice_counts=not has_chance(run)))
    return ReadCell(cell, run, columns, measure_run(run, columns, single_out(columns.clusters), confidence=CONFIDENCE))
