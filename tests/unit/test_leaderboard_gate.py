"""`--fail-if-worse` for a suite: which cells are worse than a baseline beyond doubt."""

from pathlib import Path

import pytest
from scipy.stats import binom

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.leaderboard.cells import CellResult
from tasks.evaluation.leaderboard.gate import check_cells
from tasks.evaluation.leaderboard.leaderboard import make_leaderboard
from tests.support.leaderboards import lack, make_cell
from tests.support.saved_runs import save_results, score_all, scored

GOOD, ALMOST, BAD = [1] * 30 + [0] * 10, [1] * 29 + [0] * 11, [1] * 8 + [0] * 32


@pytest.fixture
def cells(tmp_path: Path) -> list[CellResult]:
    """Return two models under two conditions: b falls behind without retrieval alone."""
    return [
        make_cell(tmp_path, "org/a", GOOD, condition="alone"),
        make_cell(tmp_path, "org/a", GOOD, condition="rag"),
        make_cell(tmp_path, "b", BAD, condition="alone"),
        make_cell(tmp_path, "b", ALMOST, condition="rag"),
    ]


def list_failed(cells: list[CellResult], baseline: str) -> list[str]:
    return [each.message for each in check_cells(make_leaderboard(cells), baseline) if not each.is_passed]


def test_a_model_is_held_against_condition_by_condition(cells: list[CellResult]) -> None:
    """Two comparisons, one of which fails."""
    results = check_cells(make_leaderboard(cells), "org/a")
    assert [(each.name, each.is_passed) for each in results] == [
        ("--fail-if-worse org/a/rag: b/rag", True),
        ("--fail-if-worse org/a/alone: b/alone", False),
    ]
    assert results[1].message.startswith("b/alone is worse than org/a/alone: 55.0 points lower (")
    assert results[1].message.endswith("p < 0.001 adjusted for 2 cells")


def test_a_cell_is_held_against_by_all_others(cells: list[CellResult]) -> None:
    """Also by those of the same model."""
    assert len(check_cells(make_leaderboard(cells), "org/a/rag")) == 3
    [failed] = list_failed(cells, "org/a/rag")
    assert failed.startswith("b/alone is worse than org/a/rag")


def test_a_results_file_is_held_against_on_what_is_shared(tmp_path: Path, cells: list[CellResult]) -> None:
    """Such as an earlier run; cells of other questions are left out."""
    earlier = save_results(tmp_path / "earlier.json", score_all(GOOD))
    cells.append(make_cell(tmp_path, "b", [scored(1, 0, "Another?")], questions="other.json", condition="rag"))
    [failed] = list_failed(cells, str(earlier))
    assert failed.startswith(f"b/alone on exam.json is worse than {earlier}: 55.0 points lower")


def test_chance_is_shared_out_among_the_cells(tmp_path: Path) -> None:
    """A difference that counts alone, p = 0.039, and not among two."""
    cells = [make_cell(tmp_path, "a", [1] * 20), make_cell(tmp_path, "b", [0] * 5 + [1] * 15)]
    assert float(2 * binom.cdf(0, 5, 0.5) - binom.pmf(0, 5, 0.5)) == pytest.approx(0.03125)
    assert len(list_failed(cells, "a")) == 1
    assert list_failed([*cells, make_cell(tmp_path, "c", [1] * 20)], "a") == []


def test_a_cell_that_cannot_be_compared_fails(tmp_path: Path) -> None:
    """Nobody has shown that it is not worse."""
    cells = [make_cell(tmp_path, "a", [1, 0]), lack("b", "the disk was full")]
    assert list_failed(cells, "a") == ["b cannot be compared with a: the disk was full"]
    assert list_failed(cells, "b") == ["a cannot be compared with b: b has no results"]


def test_an_unknown_baseline_is_refused(tmp_path: Path, cells: list[CellResult]) -> None:
    """With the names that there are; a file must be one of results, and share a question."""
    board = make_leaderboard(cells)
    with pytest.raises(UserMistake, match=r"neither a results file nor one of 'org/a', 'b', 'org/a/alone'"):
        check_cells(board, "c")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserMistake, match=r"cannot read .*notes\.txt"):
        check_cells(board, str(tmp_path / "notes.txt"))
    other = save_results(tmp_path / "other.json", [scored(1, 1, "Another?")])
    with pytest.raises(UserMistake, match="there is no cell to compare with it"):
        check_cells(board, str(other))
