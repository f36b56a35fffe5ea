"""The questions of each board, packed for the page as a report packs those of its runs: each cell with results is a run."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.comparing.columns import MOST_GROUPS, NO_VALUE
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.board import Board, Row
from tasks.evaluation.leaderboard.runs_view import RunsView, view_runs
from tasks.evaluation.pages.blocks import pack, pack_texts
from tasks.evaluation.pages.gathering import Findings
from tasks.evaluation.pages.page import describe_data
from tasks.evaluation.pages.page_index import PageIndex, build_index
from tasks.evaluation.pages.question_rows import line_up
from tasks.evaluation.pages.run_sheets import RunSheet, read_sheet
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.storage.spool import Spool

# The index names a run in one byte.
MOST_RUNS = 255


@dataclass(frozen=True)
class PackedQuestions:
    """The questions of a board."""

    board: Board
    """The board."""
    runs: tuple[SavedRun, ...]
    """The cells with results, in the board's order."""
    row_count: int
    """The number of questions."""
    about: RunsView
    """What the runs were."""
    index: PageIndex
    """The index."""
    packed_index: str
    """The index as a block."""
    blocks: Spool
    """The texts as blocks."""
    has_texts: bool
    """False if the texts are not there, since they are too long."""

    @property
    def size_bytes(self) -> int:
        """Return how much of the page the index and the texts take."""
        return len(self.packed_index) + self.blocks.size_bytes(len(self.blocks))

    def describe(self, prefix: str, *, has_texts: bool) -> JsonObject:
        """Return what the page's script reads beside the blocks.

        Args:
            prefix: what the names of the blocks begin with.
            has_texts: whether the page holds the texts.
        """
        told = describe_data(self.runs, self.index, self.row_count, has_texts=has_texts, group_by=self.board.group_by)
        return {**told, "prefix": prefix, "title": self.board.questions}


def pack_questions(board: Board, blocks: Spool, folder: Path, most_bytes: int) -> PackedQuestions | None:
    """Return the board's questions; None if no cell has results, or more than 255 have.

    Args:
        board: the board.
        blocks: takes the texts.
        folder: where the texts of each cell are kept meanwhile.
        most_bytes: the size beyond which they are left out.

    Raises:
        UserMistake: a results file has been changed since it was compared.
        StorageFailure: the texts cannot be kept.
    """
    rows = [row for row in board.rows if row.run]
    if not 0 < len(rows) <= MOST_RUNS:
        return None
    runs = [row.run for row in rows if row.run]
    group_by = board.group_by
    with ExitStack() as stack:
        spools = [stack.enter_context(closing(Spool(folder))) for _ in runs]
        sheets = [
            read_sheet(run, count, group_by, texts)
            for run, count, texts in zip(runs, map(_count_records, rows), spools, strict=True)
        ]
        _drop_many_groups(sheets)
        lines = line_up(sheets)
        figures = [row.figures for row in rows if row.figures]
        about = view_runs(Findings(tuple(runs), tuple(figures), (), (), None, group_by, tuple(sheets), lines))
        index = build_index(sheets, lines)
        packed = pack(index.pack()).decode()
        has_texts = pack_texts(sheets, lines, blocks, most_bytes - len(packed))
    return PackedQuestions(board, tuple(runs), len(lines), about, index, packed, blocks, has_texts)


def _count_records(row: Row) -> int:
    return row.figures.scored + row.figures.refused + row.figures.unusable if row.figures else 0


def _drop_many_groups(sheets: Sequence[RunSheet]) -> None:
    """Drop groups that are too many to choose from: the field is an id."""
    if len({name for sheet in sheets for name in sheet.group_names}) > MOST_GROUPS:
        for sheet in sheets:
            sheet.group_names.clear()
            sheet.groups[:] = NO_VALUE
