"""All boards beside each other: a row for each model and condition, a column for each questions file."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tasks.evaluation.leaderboard.board import Board, Row


@dataclass(frozen=True)
class OverviewRow:
    """A model under a condition, on all questions files."""

    name: str
    """What its cells are called."""
    cells: tuple[Row | None, ...]
    """Its cell on each board; None where the suite has none."""

    @property
    def mean(self) -> float | None:
        """Return the mean of its accuracies, in which each questions file counts the same; None unless it has all of them."""
        known = [cell.accuracy for cell in self.cells if cell and cell.accuracy is not None]
        return fmean(known) if len(known) == len(self.cells) else None


def list_overview(boards: Sequence[Board]) -> list[OverviewRow]:
    """Return the rows by their mean, those without one at the end; none for a single board."""
    if len(boards) < 2:
        return []
    by_name = [{row.cell.name: row for row in board.rows} for board in boards]
    names = dict.fromkeys(name for rows in by_name for name in rows)
    overview = [OverviewRow(name, tuple(rows.get(name) for rows in by_name)) for name in names]
    return sorted(overview, key=lambda row: 1.0 if row.mean is None else -row.mean)
