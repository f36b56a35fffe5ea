"""The leaderboard as one HTML file: a section for each questions file, and every question with the verdicts on all cells."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path

from tasks.evaluation.leaderboard.board import Board
from tasks.evaluation.leaderboard.board_view import view_board
from tasks.evaluation.leaderboard.overview import list_overview
from tasks.evaluation.leaderboard.packed_questions import PackedQuestions, pack_questions
from tasks.evaluation.leaderboard.table import NO_SAMPLE, describe_lacking
from tasks.evaluation.leaderboard.totals import describe_totals
from tasks.evaluation.pages.page import HEAD_BYTES, MOST_BYTES, read_blocks
from tasks.evaluation.pages.template import STYLE, render_page
from tasks.evaluation.storage.spool import Spool

TEMPLATE = "leaderboard.html.j2"
STYLE_FILES = (*STYLE, "leaderboard/*.css")


def render_leaderboard(boards: Sequence[Board], folder: Path, most_bytes: int = MOST_BYTES) -> Iterator[bytes]:
    """Yield the page piece by piece; it needs no network.

    Args:
        boards: the boards.
        folder: where texts are kept meanwhile.
        most_bytes: the size beyond which the texts of questions and answers are left out.

    Raises:
        UserMistake: a results file has been changed since it was compared.
        StorageFailure: the texts cannot be kept.
    """
    with ExitStack() as stack:
        packed, left = [], most_bytes - HEAD_BYTES
        for board in boards:
            blocks = stack.enter_context(closing(Spool(folder)))
            if each := pack_questions(board, blocks, folder, left):
                packed.append(each)
                left = left - each.size_bytes if each.has_texts else 0
        context = _describe(boards, packed)
        yield from (piece.encode() for piece in render_page(context, TEMPLATE, style_files=STYLE_FILES))


def _describe(boards: Sequence[Board], packed: Sequence[PackedQuestions]) -> dict[str, object]:
    """Return what the template shows."""
    has_texts = all(each.has_texts for each in packed)
    prefixes = [f"{number}-" for number in range(1, len(packed) + 1)]
    blocks = (read_blocks(each.blocks, len(each.runs), prefix) for prefix, each in zip(prefixes, packed, strict=True))
    return {
        "title": _write_title(boards),
        "extent": _describe_extent(boards),
        "lacking": describe_lacking(boards),
        "totals": describe_totals(boards),
        "no_sample": NO_SAMPLE,
        "overview": list_overview(boards),
        "boards": [view_board(board) for board in boards],
        "about": {each.board.questions: each.about for each in packed},
        "files": {each.board.questions: number for number, each in enumerate(packed, start=1)},
        "data": [each.describe(prefix, has_texts=has_texts) for prefix, each in zip(prefixes, packed, strict=True)],
        "indexes": [(f"{prefix}index", each.packed_index) for prefix, each in zip(prefixes, packed, strict=True)],
        "blocks": chain.from_iterable(blocks) if has_texts else (),
        "has_texts": has_texts,
        "row_count": sum(each.row_count for each in packed),
    }


def _write_title(boards: Sequence[Board]) -> str:
    return f"Leaderboard of {_count(len({row.cell.model for board in boards for row in board.rows}), 'model')}"


def _describe_extent(boards: Sequence[Board]) -> str:
    cells = [row.cell for board in boards for row in board.rows]
    conditions = {cell.condition for cell in cells} - {""}
    parts = [_count(len(cells), "cell"), _count(len(boards), "questions file")]
    return " · ".join([*parts, *([_count(len(conditions), "condition")] if conditions else [])])


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
