"""Reads the results of a board's cells; a cell whose file cannot be read is missing, with the reason.

Of a cell that is not finished, its checkpoint says what it has so far.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.evaluation.comparing.columns import NO_VALUE, RunColumns, WantedFields, read_lenient
from tasks.evaluation.comparing.comparison import CONFIDENCE, find_field, single_out
from tasks.evaluation.comparing.run_figures import ComparedRun, has_chance, measure_run
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.reporting.cost_report import read_total
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run, read_setting
from tasks.evaluation.statistics.accuracy import Accuracy, measure_scores

NO_RESULTS = "no results"
# A file from elsewhere may hold any number.
MOST_DOLLARS = 1e12


@dataclass(frozen=True)
class ReadCell:
    """A cell with its results."""

    cell: CellResult
    """The cell."""
    run: SavedRun
    """Its results file, or its checkpoint, without the records."""
    columns: RunColumns
    """Its scores, with the groups of its questions."""
    figures: ComparedRun
    """Its accuracy, and what is missing."""

    @property
    def by_group(self) -> dict[str, Accuracy]:
        """Return the accuracy of each group by its name, which is empty for questions without a value; none without groups."""
        groups, names = self.columns.groups, self.columns.group_names
        coded = [*enumerate(names), *([(NO_VALUE, "")] if names else [])]
        measured = {name: measure_scores(self.columns.scores[groups == code]) for code, name in coded}
        return {name: accuracy for name, accuracy in measured.items() if accuracy}

    @property
    def tokens(self) -> int | None:
        """Return the tokens behind all results, of every model that was asked; None if none were reported."""
        by_role = read_setting(self.run.metadata, "tokens", "all_results")
        counts = [read_setting(by_role, role, "total_tokens") for role in by_role] if isinstance(by_role, dict) else []
        return sum(count for count in counts if isinstance(count, int)) or None

    @property
    def model_seconds(self) -> float | None:
        """Return how long the model took for all scored questions; None if no record says."""
        return self.columns.seconds if self.columns.timed_count else None

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
    runs, read = [run for _, run in opened], []
    group_by, cluster_by = find_field(runs, "group_by"), find_field(runs, "cluster_by")
    for cell, run in opened:
        try:
            columns = read_lenient(run, WantedFields(group_by, cluster_by, choice_counts=not has_chance(run)))
            read.append(ReadCell(cell, run, columns, _measure(run, columns)))
        except UserMistake as mistake:
            missing.append(replace(cell, missing=str(mistake)))
    return read, missing


def read_unfinished(cell: CellResult) -> ReadCell | None:
    """Return what a cell that is not finished has so far, without groups; None if it has nothing that can be read.

    A checkpoint may be replaced while it is read, if the cell still runs.
    """
    if cell.checkpoint is None:
        return None
    try:
        run = open_saved_run(cell.checkpoint, cell.name)
        columns = read_lenient(run, WantedFields(cluster_by=find_field([run], "cluster_by")))
    except UserMistake:
        return None
    return ReadCell(cell, run, columns, _measure(run, columns)) if len(columns) or columns.refused else None


def _open(cell: CellResult) -> SavedRun:
    if cell.results_file is None:
        raise UserMistake(cell.missing or NO_RESULTS)
    return open_saved_run(cell.results_file, cell.name)


def _measure(run: SavedRun, columns: RunColumns) -> ComparedRun:
    return measure_run(run, columns, single_out(columns.clusters), confidence=CONFIDENCE)
