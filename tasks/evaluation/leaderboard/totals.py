"""What all cells of a leaderboard took together, those included that are not finished."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.board import Board, Row
from tasks.evaluation.leaderboard.table import SO_FAR
from tasks.evaluation.spending.costs import format_dollars

MEASURES: dict[str, Callable[[Row], float | None]] = {
    "tokens": lambda row: row.tokens,
    "cost_usd": lambda row: row.cost,
    "model_seconds": lambda row: row.model_seconds,
}
FORMATS: dict[str, Callable[[float], str]] = {
    "tokens": lambda value: f"{value:,.0f} tokens",
    "cost_usd": format_dollars,
    "model_seconds": lambda value: f"{_format_seconds(value)} of model time",
}

# From here on hours say more.
LONG_SECONDS = 5_400


@dataclass(frozen=True)
class Total:
    """The sum of a measure over cells."""

    measure: str
    """What is measured."""
    value: float
    """The sum over the cells that say it."""
    unfinished: float
    """How much of it is of cells that are not finished."""
    is_whole: bool
    """False if some cells with answers do not say it, so that the sum is larger."""

    def to_json(self) -> JsonObject:
        """Return the sum as files hold it."""
        return {"total": self.value, "unfinished": self.unfinished, "is_whole": self.is_whole}


def list_totals(boards: Sequence[Board]) -> list[Total]:
    """Return the sums that anything is known of."""
    rows = [row for board in boards for row in board.rows if row.figures or row.so_far]
    return [total for measure in MEASURES if (total := _add_up(measure, rows))]


def describe_totals(boards: Sequence[Board]) -> str:
    """Return the sums as a sentence; empty if nothing is known."""
    totals = list_totals(boards)
    if not totals:
        return ""
    unfinished = ", ".join(FORMATS[each.measure](each.unfinished) for each in totals if each.unfinished)
    share = f", of which {unfinished} in unfinished cells {SO_FAR}" if unfinished else ""
    return f"All cells: {', '.join(map(_describe, totals))}{share}."


def _add_up(measure: str, rows: Sequence[Row]) -> Total | None:
    known = list(_list_known(measure, rows))
    if not known:
        return None
    unfinished = sum(value for row, value in known if row.so_far)
    return Total(measure, sum(value for _, value in known), unfinished, is_whole=len(known) == len(rows))


def _list_known(measure: str, rows: Sequence[Row]) -> Iterator[tuple[Row, float]]:
    for row in rows:
        value = MEASURES[measure](row)
        if value is not None:
            yield row, value


def _format_seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < LONG_SECONDS else f"{seconds / 3600:,.1f} h"


def _describe(total: Total) -> str:
    return ("" if total.is_whole else "at least ") + FORMATS[total.measure](total.value)
