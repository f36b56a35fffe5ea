"""A leaderboard's cell that is not finished: what it has is shown as that, and is neither ranked nor compared."""

import csv
import json
from pathlib import Path

import pytest
from statsmodels.stats.proportion import proportion_confint

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.board import Board
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.leaderboard import Leaderboard, make_leaderboard, write_leaderboard
from tasks.evaluation.leaderboard.table import describe_leaders, list_rows
from tests.support.leaderboards import lack, make_cell, make_unfinished
from tests.support.report_pages import read_page
from tests.support.saved_runs import describe_run, save_checkpoint, scored


def spend(tokens: int, dollars: float) -> JsonObject:
    """Return the metadata of results that took that."""
    return {
        "tokens": {"all_results": {"generator": {"total_tokens": tokens}}},
        "cost": {"all_results": {"total": dollars}},
    }


@pytest.fixture
def cells(tmp_path: Path) -> list[CellResult]:
    """Return a finished cell with 2 of 4 right, one with 3 of its first 1,000 right, and one that has nothing."""
    whole: list[JsonObject] = [scored(number, number % 2, model_time_seconds=2.0) for number in (1, 2, 3, 4)]
    return [
        make_unfinished(tmp_path, "part", [1, 1, 1], 1_000, "no | key", metadata=spend(36, 0.25)),
        make_cell(tmp_path, "whole", whole, metadata=spend(48, 0.5)),
        lack("none", "not begun"),
    ]


def only_board(leaderboard: Leaderboard) -> Board:
    [board] = leaderboard.boards
    return board


def test_it_is_neither_ranked_nor_compared(cells: list[CellResult]) -> None:
    """However high its accuracy so far: it leads nothing, shares no letter, and is in no pair."""
    board = only_board(make_leaderboard(cells))
    assert [(row.cell.model, row.accuracy, row.letters, row.is_leader) for row in board.rows] == [
        ("whole", 0.5, "a", True),
        ("part", None, "", False),
        ("none", None, "", False),
    ]
    assert board.pairs == ()
    assert describe_leaders(board) == "whole alone of the finished cells has a score"


def test_what_it_has_is_measured(cells: list[CellResult]) -> None:
    """With Wilson's interval of statsmodels, over the answers that it has."""
    so_far = only_board(make_leaderboard(cells)).rows[1].so_far
    assert so_far
    assert (so_far.scored, so_far.selected, so_far.accuracy, so_far.unscored) == (3, 1_000, 1.0, 997)
    assert so_far.interval
    assert (so_far.interval.low, so_far.interval.high) == pytest.approx(proportion_confint(3, 3, method="wilson"))


def test_its_line_says_so(cells: list[CellResult]) -> None:
    """In every column in which a reader could take it for a finished one."""
    [_, part, none] = list_rows(only_board(make_leaderboard(cells)))
    assert part == {
        "model": "part",
        "accuracy": "1.0000 so far",
        "95 % interval": "0.4385 to 1.0000",
        "alike": "",
        "to the best, points": "",
        "scored": "3 of 1,000 so far",
        "missing": "unfinished: 997 not scored yet",
        "tokens": "36",
        "cost, USD": "0.25",
        "seconds each": "1.00",
    }
    assert none["missing"] == "no results"


def test_the_markdown_says_why_it_is_not_compared(cells: list[CellResult]) -> None:
    """In one line, with the reason why it is not finished, and with what all cells took, these included."""
    text = make_leaderboard(cells).to_markdown()
    assert text.startswith("2 of 3 cells lack results: part (no \\| key); none (not begun)\n\n## exam.json")
    assert (
        "### Unfinished\n\n"
        "Partial answers are not a random sample of the questions: an unfinished cell is neither ranked nor compared.\n\n"
        "- part, 3 of 1,000 so far: no \\| key\n\n"
        "### Without results\n\n"
        "- none: not begun\n\n"
    ) in text
    assert text.endswith(
        "All cells: 84 tokens, $0.75, 11 s of model time, "
        "of which 36 tokens, $0.25, 3 s of model time in unfinished cells so far."
    )


def test_the_files_keep_it_apart(cells: list[CellResult], tmp_path: Path) -> None:
    """Whoever sorts by accuracy does not rank it; its tokens and cost are in their columns."""
    written = write_leaderboard(make_leaderboard(cells), tmp_path / "suite", "board")
    row = list(csv.DictReader(written[1].read_text("utf-8-sig").splitlines()))[1]
    assert (row["accuracy"], row["interval_low"], row["accuracy_so_far"], row["interval_so_far_high"]) == ("", "", "1.0", "1.0")
    assert float(row["interval_so_far_low"]) == pytest.approx(0.4385, abs=5e-5)
    assert (row["selected"], row["scored"], row["unscored"], row["tokens"], row["cost_usd"]) == (
        "1000",
        "3",
        "997",
        "36",
        "0.25",
    )
    content = json.loads(written[2].read_text())
    part = content["boards"][0]["rows"][1]
    assert (part["figures"], part["so_far"]["accuracy"], part["model_seconds"]) == (None, 1.0, 3.0)
    assert content["totals"] == {
        "tokens": {"total": 84, "unfinished": 36, "is_whole": True},
        "cost_usd": {"total": 0.75, "unfinished": 0.25, "is_whole": True},
        "model_seconds": {"total": 11.0, "unfinished": 3.0, "is_whole": True},
    }


def test_the_page_says_so(cells: list[CellResult], tmp_path: Path) -> None:
    """Without a point in the plot, and its questions are not among those of the finished."""
    page = read_page(write_leaderboard(make_leaderboard(cells), tmp_path / "suite", "board")[-1])
    assert "part unfinished: 3 of 1,000 so far no | key 100.0 % 43.9 to 100.0 % – – – 3 36 0.25 1.0" in page.head
    assert "2 of 3 cells lack results: part (no | key); none (not begun)" in page.head
    assert "an unfinished cell is neither ranked nor compared" in page.head
    assert "All cells: 84 tokens, $0.75" in page.head
    assert page.source.count('class="point run-') == 1
    [data] = json.loads(page._read_element("data"))
    assert [run["name"] for run in data["runs"]] == ["whole"]


def test_a_total_that_lacks_a_cell_is_called_a_least_one(tmp_path: Path) -> None:
    """Where one results file does not say what it cost."""
    cells = [make_cell(tmp_path, "a", [1], metadata=spend(12, 0.5)), make_cell(tmp_path, "b", [1])]
    assert make_leaderboard(cells).to_markdown().endswith("All cells: at least 12 tokens, at least $0.50.")


def test_a_condition_is_not_judged_by_it(tmp_path: Path) -> None:
    """The sentence says why; and the overview has no mean of it."""
    cells = [
        make_cell(tmp_path, "m", [1, 0], condition="plain"),
        make_unfinished(tmp_path, "m", [1], 2, condition="rag"),
        make_cell(tmp_path, "m", [1, 0], condition="plain", questions="other.json"),
        make_cell(tmp_path, "m", [1, 1], condition="rag", questions="other.json"),
    ]
    leaderboard = make_leaderboard(cells)
    [effect] = leaderboard.boards[0].effects
    assert effect.sentence == "m/rag and m/plain cannot be compared: m/rag is not finished"
    lines = leaderboard.to_markdown().splitlines()[2:]
    assert [cell.strip() for cell in lines[5].split("|")[1:-1]] == ["m/rag", "1.0000 so far", "1.0000 a", ""]


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_checkpoint_that_cannot_be_read_is_nothing(tmp_path: Path, content: str) -> None:
    """The cell is listed with its reason alone."""
    path = tmp_path / "checkpoint.json"
    path.write_text(content)
    [row] = only_board(make_leaderboard([CellResult("a", "exam.json", "", None, "stopped", path)])).rows
    assert (row.so_far, row.cell.missing) == (None, "stopped")


def test_a_checkpoint_without_results_is_nothing(tmp_path: Path) -> None:
    """As before the first answer."""
    path = save_checkpoint(tmp_path / "checkpoint.json", [], describe_run(10))
    [row] = only_board(make_leaderboard([CellResult("a", "exam.json", "", None, "stopped", path)])).rows
    assert row.so_far is None
