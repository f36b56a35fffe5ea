"""All boards as one CSV file, a row for each cell, written as `exporting.csv_file` says; what is unknown is empty."""

import csv
import io
from collections.abc import Sequence

from tasks.evaluation.comparing.pairs import list_ends
from tasks.evaluation.comparing.sentences import reverse
from tasks.evaluation.exporting.csv_file import BYTE_ORDER_MARK, format_cell
from tasks.evaluation.exporting.flat_records import Plain
from tasks.evaluation.leaderboard.board import Board, Row


def write_csv(boards: Sequence[Board]) -> bytes:
    """Return the file's content."""
    rows = [_describe(board, row) for board in boards for row in board.rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(rows[0] if rows else [])
    for row in rows:
        writer.writerow([format_cell(value) for value in row.values()])
    return f"{BYTE_ORDER_MARK}{text.getvalue()}".encode()


def _describe(board: Board, row: Row) -> dict[str, Plain]:
    figures, best = row.figures or row.so_far, row.against_best
    ends, ends_so_far = (each.interval if each else None for each in (row.figures, row.so_far))
    found = reverse(best.found) if best else None
    low, high = (list_ends(found) if found else None) or (None, None)
    return {
        "questions": board.questions,
        "model": row.cell.model,
        "condition": row.cell.condition,
        "accuracy": row.accuracy,
        "interval_low": ends.low if ends else None,
        "interval_high": ends.high if ends else None,
        "alike": row.letters,
        "is_leader": row.is_leader,
        "to_best": found.difference if found else None,
        "to_best_low": low,
        "to_best_high": high,
        "p_adjusted": best.p_adjusted if best else None,
        "selected": figures.selected if figures else None,
        "scored": figures.scored if figures else None,
        "refused": figures.refused if figures else None,
        "unusable": figures.unusable if figures else None,
        "unscored": figures.unscored if figures else None,
        "tokens": row.tokens,
        "cost_usd": row.cost,
        "seconds": row.seconds,
        "missing": row.cell.missing,
        "accuracy_so_far": row.so_far.accuracy if row.so_far else None,
        "interval_so_far_low": ends_so_far.low if ends_so_far else None,
        "interval_so_far_high": ends_so_far.high if ends_so_far else None,
        "results_file": str(row.cell.results_file or ""),
    }
