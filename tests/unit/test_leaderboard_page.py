"""The leaderboard's page: its tables, and every question with the verdicts on all cells."""

import json
from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.leaderboard import make_leaderboard, write_leaderboard
from tasks.evaluation.leaderboard.page import render_leaderboard
from tasks.evaluation.pages.run_sheets import ABSENT, FULL_SCORE
from tests.support.leaderboards import lack, make_cell
from tests.support.report_pages import ReadPage, read_page
from tests.support.saved_runs import describe_run, refused, save_results, score_all, scored

BETTER, WORSE = [1] * 30 + [0] * 10, [1] * 8 + [0] * 32


@pytest.fixture
def page(tmp_path: Path) -> ReadPage:
    """Write the page of two models under two conditions, of which one has no results, and of a cell on another file."""
    cells = [
        make_cell(tmp_path, "a", WORSE, condition="alone"),
        make_cell(tmp_path, "a", [*score_all(BETTER), refused(41)], condition="rag"),
        make_cell(tmp_path, "b", WORSE, condition="alone"),
        lack("b", "HTTP 404: no such model", condition="rag"),
        make_cell(tmp_path, "a", [scored(1, 1, "Other?")], questions="other.json", condition="alone"),
    ]
    return read_page(write_leaderboard(make_leaderboard(cells), tmp_path, "board")[-1])


def test_each_cell_has_a_line(page: ReadPage) -> None:
    """Name, what is missing, accuracy, interval, letter, difference to the best and p, counts; else why it has no results."""
    assert "Leaderboard of 2 models" in page.head
    assert "5 cells · 2 questions files · 2 conditions" in page.head
    assert "a/rag 1 refused 75.0 % 59.8 to 85.8 % a best – 40 unknown unknown unknown" in page.head
    assert "a/alone 20.0 % 10.5 to 34.8 % b −55.0 < 0.001 40 unknown unknown unknown" in page.head
    assert "b/rag no results HTTP 404: no such model" in page.head


def test_conditions_are_summed_up_and_listed(page: ReadPage) -> None:
    """With what cannot be compared."""
    assert "rag helps 1 (a) of 2 models, and harms none, against alone; for 1 it cannot be told." in page.head
    assert "a, rag 55.0 " in page.head
    assert "b, rag b/rag and b/alone cannot be compared: b/rag has no results" in page.head


def test_every_difference_is_on_the_page(page: ReadPage) -> None:
    """The better less the worse, bold where they can be told apart, with interval and p for whoever points at it."""
    assert "1 a/rag 55.0 55.0 2 a/alone 0.0 3 b/alone" in page.head
    assert '<td class="figure strong" title="a/rag − a/alone: 55.0 (' in page.source


def test_what_was_run_is_told(tmp_path: Path) -> None:
    """Once where it is the same for all; else for each cell. A prompt is shown once, with the cells that were asked with it."""
    a = describe_run(2, model="a", evaluation={"prompt": {"mc": "One."}}, settings={"temperature": 0.5})
    b = describe_run(2, model="b", evaluation={"prompt": {"mc": "Two."}}, settings={"temperature": 0.5})
    cut: list[JsonObject] = [{**scored(1, 1), "evaluation": {"truncated": True}}, {**refused(2), "error": "too long"}]
    cells = [make_cell(tmp_path, "a", [1, 0], metadata=a), make_cell(tmp_path, "b", cut, metadata=b)]
    head = read_page(write_leaderboard(make_leaderboard(cells), tmp_path, "board")[-1]).head
    assert "Temperature 0.5" in head
    assert "Cell Model Results Truncated a a exam.json_a_.json 0 b b exam.json_b_.json 1" in head
    assert "Prompt for multiple choice, a One. Prompt for multiple choice, b Two." in head
    assert "b 1 refused If all of these were wrong, or all right, the accuracy would be 50.0 to 100.0 %. 1 × too long" in head


def test_groups_have_the_accuracy_of_each_cell(tmp_path: Path) -> None:
    """By the field that the runs name; a question without a value is in a group of its own."""
    fields: tuple[JsonObject, ...] = ({"subject": "law"}, {"subject": "art"}, {"subject": "law"}, {})
    by_subject = describe_run(4, settings={"fields": {"group_by": "subject"}})
    a, b = (
        [scored(n, score, fields=each) for n, (score, each) in enumerate(zip(scores, fields, strict=True), start=1)]
        for scores in ((1, 1, 1, 0), (1, 0, 0, 0))
    )
    cells = [make_cell(tmp_path, "a", a, metadata=by_subject), make_cell(tmp_path, "b", b, metadata=by_subject)]
    head = read_page(write_leaderboard(make_leaderboard(cells), tmp_path, "board")[-1]).head
    assert "By subject Group Questions 1 2 without a value 1 0.0 % 0.0 % art 1 100.0 % 0.0 % law 2 100.0 % 50.0 %" in head


def test_each_file_has_an_index_of_all_cells(page: ReadPage) -> None:
    """The cells with results, the best first; a question that a cell does not have is absent there."""
    first, second = json.loads(page._read_element("data"))
    assert [run["name"] for run in first["runs"]] == ["a/rag", "a/alone", "b/alone"]
    assert (first["title"], first["prefix"], first["rows"], second["title"], second["rows"]) == (
        "exam.json",
        "1-",
        41,
        "other.json",
        1,
    )
    assert page.read_block("1-index")[-1] == 0xFF  # the last column, the choice of the third run: it lacks the last question
    assert page.read_block("1-texts-0-0").decode().startswith("Question 1?")
    assert page.read_block("2-texts-0-0").decode().startswith("Other?")
    assert FULL_SCORE in page.read_block("2-index")
    assert ABSENT in page.read_block("1-index")


def test_a_cells_name_leads_to_its_questions_beside_those_of_the_best(page: ReadPage) -> None:
    """Within its file."""
    assert '<a class="run-name" href="#file=1&amp;runs=1,3"><bdi>b/alone</bdi></a>' in page.source
    assert '<a class="run-name" href="#file=2&amp;runs=1"><bdi>a/alone</bdi></a>' in page.source


def test_texts_that_make_the_page_too_large_are_left_out(tmp_path: Path) -> None:
    """In every file, since the page says so once."""
    board = make_leaderboard([make_cell(tmp_path, "a", BETTER), make_cell(tmp_path, "a", [1], questions="other.json")])
    small = ReadPage(b"".join(render_leaderboard(board.boards, tmp_path, most_bytes=2_000_300)).decode())
    assert "The texts of questions and answers are left out" in small.head
    assert "texts-0-0" not in small.source
    assert len(small.read_block("1-index")) > 0


def test_nothing_on_the_page_is_markup_of_others(tmp_path: Path) -> None:
    """Neither a model's name nor a reason."""
    cells = [make_cell(tmp_path, "<b>x</b>", [1]), lack("y", "<script>alert(1)</script>")]
    page = read_page(write_leaderboard(make_leaderboard(cells), tmp_path, "board")[-1])
    assert "<b>x" not in page.source
    assert "<script>alert" not in page.source


def test_a_file_that_changes_meanwhile_is_found_out(tmp_path: Path) -> None:
    """The questions would not be those of the table."""
    cell = make_cell(tmp_path, "a", [1, 0])
    board = make_leaderboard([cell])
    assert cell.results_file
    save_results(cell.results_file, score_all([1, 0, 1]), describe_run(3))
    with pytest.raises(UserMistake, match="has changed"):
        write_leaderboard(board, tmp_path, "board")


def test_a_suite_without_results_has_a_page(tmp_path: Path) -> None:
    """That says why, and has no questions."""
    page = read_page(write_leaderboard(make_leaderboard([lack("a", "stopped")]), tmp_path, "board")[-1])
    assert "a no results stopped" in page.head
    assert 'id="questions"' not in page.source
