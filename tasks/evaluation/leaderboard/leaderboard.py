"""The leaderboard of a suite: `make_leaderboard` is the way in, `Leaderboard` what comes out, `write_leaderboard` its files.

    {stem}.md     a table for each questions file, and what the conditions do in a sentence each
    {stem}.csv    a row for each cell
    {stem}.json   everything, with each pair of cells
    {stem}.html   the same as a page, with every question

Each is written whole under a temporary name, fsynced and renamed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.board import Board, make_board
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.csv_table import write_csv
from tasks.evaluation.leaderboard.markdown import write_markdown
from tasks.evaluation.leaderboard.page import render_leaderboard
from tasks.evaluation.leaderboard.totals import list_totals
from tasks.evaluation.storage.durable_files import replace_file, write_durably, write_pieces
from tasks.evaluation.storage.temporary_files import name_temporary_file


@dataclass(frozen=True)
class Leaderboard:
    """The cells of a suite, by questions file."""

    boards: tuple[Board, ...]
    """A board for each questions file, in the suite's order."""

    def to_markdown(self) -> str:
        """Return the boards as Markdown, for an artifact of Prefect and for a terminal."""
        return write_markdown(self.boards)

    def to_json(self) -> JsonObject:
        """Return the boards as files hold them; shares are from 0 to 1, what is unknown is null."""
        totals: JsonObject = {total.measure: total.to_json() for total in list_totals(self.boards)}
        return {"boards": [board.to_json() for board in self.boards], "totals": totals}


def make_leaderboard(cells: Sequence[CellResult]) -> Leaderboard:
    """Return the leaderboard of a suite's cells, in the suite's order; a file that cannot be read is a missing cell.

    Memory: 64 bytes for each cell and question of one questions file at a time.

    Raises:
        UserMistake: two cells of a questions file have the same name.
    """
    conditions = list(dict.fromkeys(cell.condition for cell in cells))
    by_questions: dict[str, list[CellResult]] = {}
    for cell in cells:
        by_questions.setdefault(cell.questions, []).append(cell)
    return Leaderboard(tuple(make_board(name, own, conditions) for name, own in by_questions.items()))


def write_leaderboard(leaderboard: Leaderboard, folder: Path, stem: str) -> list[Path]:
    """Write the files above into the folder; return their paths. Those of an earlier leaderboard are replaced.

    Raises:
        UserMistake: a results file has been changed since the leaderboard was made.
        StorageFailure: one cannot be written.
    """
    contents: dict[str, Iterable[bytes]] = {
        ".md": [f"{leaderboard.to_markdown()}\n".encode()],
        ".csv": [write_csv(leaderboard.boards)],
        ".json": [f"{json.dumps(leaderboard.to_json(), indent=2)}\n".encode()],
        ".html": render_leaderboard(leaderboard.boards, folder),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / f"{stem}{ending}", pieces) for ending, pieces in contents.items()]
    except OSError as error:
        raise StorageFailure(f"cannot write the leaderboard in {folder}: {error.strerror or error}; {MAKE_ROOM}") from error


def _write(path: Path, pieces: Iterable[bytes]) -> Path:
    temporary = path.with_name(name_temporary_file("mcqa_leaderboard"))
    return write_durably(temporary, lambda descriptor: write_pieces(descriptor, pieces), replace_file(path))
