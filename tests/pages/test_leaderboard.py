"""What a person does with a leaderboard: choose a file and cells, filter by how many are right, and send a link."""

from pathlib import Path

import pytest

from tasks.evaluation.leaderboard.leaderboard import make_leaderboard, write_leaderboard
from tests.pages.conftest import Visit
from tests.support.leaderboards import make_cell
from tests.support.saved_runs import scored

MODELS = [f"model-{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of eight models, each with two questions fewer right than the one before, and of two on another file."""
    folder = tmp_path_factory.mktemp("leaderboard")
    cells = [make_cell(folder, model, [1] * (20 - 2 * place) + [0] * 2 * place) for place, model in enumerate(MODELS)]
    other = [scored(number, number % 2, f"Other {number}?\nA) one\nB) two") for number in (1, 2, 3)]
    cells += [make_cell(folder, model, other, questions="other.json") for model in MODELS[:2]]
    return write_leaderboard(make_leaderboard(cells), folder, "report")[-1]


def list_headings(visit: Visit) -> list[str]:
    """Return the cells whose verdicts are shown."""
    return visit.page.locator("#headings .run").all_inner_texts()


def read_count(visit: Visit) -> str | None:
    """Return how many questions the page claims to show."""
    return visit.page.locator("#shown").text_content()


def test_the_six_best_are_shown_first(visit: Visit, report: Path) -> None:
    """Side by side, with the first file's questions; an open question has their answers."""
    page = visit.open(report)
    assert list_headings(visit) == MODELS[:6]
    assert read_count(visit) == "20 questions"
    page.locator("#rows .open").first.click()
    page.locator("#details .answer").first.wait_for()
    assert page.locator("#details .answer h3 bdi").all_inner_texts() == MODELS[:6]


def test_other_cells_are_chosen(visit: Visit, report: Path) -> None:
    """Six at most; the address then names them, and their verdicts and answers are theirs."""
    page = visit.open(report)
    page.locator(".run-choice summary").click()
    boxes = page.locator(".run-choice input")
    assert boxes.nth(7).is_disabled()
    for place in range(5):
        boxes.nth(place).uncheck()
    boxes.nth(7).check()
    with page.expect_navigation():
        page.get_by_role("button", name="Show these").click()
    page.locator("#rows tr").first.wait_for()
    assert list_headings(visit) == ["model-6", "model-8"]
    assert page.locator("#rows tr").nth(8).locator(".verdict .mark").all_inner_texts() == ["✓", "✗"]
    assert page.url.endswith("#runs=6%2C8")


def test_another_file_is_chosen(visit: Visit, report: Path) -> None:
    """Its questions and cells take the place of the first one's."""
    page = visit.open(report)
    with page.expect_navigation():
        page.locator(".file-choice select").select_option(label="other.json")
    page.locator("#rows tr").first.wait_for()
    assert list_headings(visit) == MODELS[:2]
    assert read_count(visit) == "3 questions"
    page.locator(".preview", has_text="Other 1?").wait_for()


def test_questions_are_filtered_by_how_many_cells_are_right(visit: Visit, report: Path) -> None:
    """Of all cells, not only of those shown: six have the first ten right, eight the first six."""
    page = visit.open(report)
    page.locator("#facets button", has_text="all 8 right").click()
    assert read_count(visit) == "6 of 20 questions"
    page.locator("#facets button", has_text="all 8 right").click()
    page.locator("#facets button", has_text="half or fewer right").click()
    assert read_count(visit) == "8 of 20 questions"


def test_a_cells_name_leads_to_its_questions(visit: Visit, report: Path) -> None:
    """Beside those of the best, and the address is a link to them."""
    page = visit.open(report)
    with page.expect_navigation():
        page.get_by_role("link", name="model-7").click()
    page.locator("#rows tr").first.wait_for()
    assert list_headings(visit) == ["model-1", "model-7"]
    visit.open(report, "#file=2&q=3")
    assert page.locator("#details .stem").inner_text() == "Other 3?"


def test_a_search_finds_answers_of_the_cells_that_are_shown(visit: Visit, report: Path) -> None:
    """In the second file as in the first."""
    page = visit.open(report, "#file=2&find=other")
    page.locator("#shown", has_text="3 questions").wait_for()
    page.locator("#search").fill('"the answer is b"')
    page.locator("#shown", has_text="1 of 3 questions").wait_for()


def test_a_phone_shows_the_leaderboard_without_scrolling_sideways(visit: Visit, report: Path) -> None:
    """Each cell becomes a list."""
    visit.page.set_viewport_size({"width": 390, "height": 800})
    page = visit.open(report)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(".board .lane .plot").first.is_visible()
