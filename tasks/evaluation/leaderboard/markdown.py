"""Boards as Markdown, which is also fit for a terminal: its tables are aligned."""

from collections.abc import Iterator, Sequence

from tasks.evaluation.comparing.comparison import CONFIDENCE
from tasks.evaluation.comparing.sentences import decide
from tasks.evaluation.leaderboard.board import Board, Row
from tasks.evaluation.leaderboard.effects import sum_up
from tasks.evaluation.leaderboard.overview import OverviewRow, list_overview
from tasks.evaluation.leaderboard.table import (
    NO_RESULTS,
    NO_SAMPLE,
    SO_FAR,
    TEXTS,
    UNFINISHED,
    UNKNOWN,
    describe_lacking,
    describe_leaders,
    describe_progress,
    list_rows,
)
from tasks.evaluation.leaderboard.totals import describe_totals
from tasks.evaluation.reporting.markdown import escape, write_aligned_table, write_list

# The sentences of more pairs are read by nobody; the JSON file and the page hold all.
MOST_PAIRS = 15
CELL, MEAN = "cell", "mean"


def write_markdown(boards: Sequence[Board]) -> str:
    """Return all boards, one below the other."""
    tables = (part for board in boards for part in _list_parts(board))
    # What a reader of the page in Prefect's UI should not have to scroll for stands first.
    parts = [escape(describe_lacking(boards)), *_list_overview(boards), *tables, describe_totals(boards)]
    return "\n\n".join(part for part in parts if part)


def _list_overview(boards: Sequence[Board]) -> Iterator[str]:
    overview = list_overview(boards)
    if overview:
        yield "## Overview"
        yield write_aligned_table([_show_overview(row, boards) for row in overview], {CELL})
        yield "Accuracies with their letters, which tell cells apart within a questions file alone; each file counts the same."


def _show_overview(row: OverviewRow, boards: Sequence[Board]) -> dict[str, str]:
    accuracies = {board.questions: _show_cell(cell) for board, cell in zip(boards, row.cells, strict=True)}
    return {CELL: row.name, **accuracies, MEAN: "" if row.mean is None else f"{row.mean:.4f}"}


def _show_cell(cell: Row | None) -> str:
    if cell is None:
        return ""
    if cell.so_far:
        return UNFINISHED if cell.so_far.accuracy is None else f"{cell.so_far.accuracy:.4f} {SO_FAR}"
    if cell.figures is None:
        return NO_RESULTS
    return UNKNOWN if cell.accuracy is None else f"{cell.accuracy:.4f} {cell.letters}"


def _list_parts(board: Board) -> Iterator[str]:
    yield f"## {escape(board.questions)}"
    rows = list_rows(board)
    yield write_aligned_table(rows, TEXTS)
    count = len(board.pairs)
    if count:
        yield (
            f"{escape(describe_leaders(board))}. Cells that share a letter (alike) cannot be told apart: each two on the "
            f"questions that both have scored{f', p adjusted for {count:,} pairs' if count > 1 else ''}."
        )
    if unfinished := [(row.cell, row.so_far) for row in board.rows if row.so_far]:
        yield "### Unfinished"
        yield NO_SAMPLE
        yield write_list(f"{cell.name}, {describe_progress(so_far)}: {cell.missing}" for cell, so_far in unfinished)
    if lacking := [row.cell for row in board.rows if row.figures is None and row.so_far is None]:
        yield "### Without results"
        yield write_list(f"{cell.name}: {cell.missing}" for cell in lacking)
    if board.effects:
        yield "### Conditions"
        yield write_list([*sum_up(board.effects), *(effect.sentence for effect in board.effects)])
    if 1 < count <= MOST_PAIRS:
        yield "### Pairs"
        yield write_list(decide(pair, confidence=CONFIDENCE, pair_count=count) for pair in board.pairs)
    if board.doubts:
        yield "### Read with care"
        yield write_list(board.doubts)
