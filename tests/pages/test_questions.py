"""What a person does with the questions of a report: filter, search, sort, read, and send a link."""

from pathlib import Path

import pytest

from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.pages.page import write_runs
from tests.pages.conftest import Visit
from tests.support.saved_runs import describe_run, refused, save_results, scored

COUNT = 120


def answer(number: int, score: float, **members: str) -> JsonObject:
    """Return the record of a question: of biology if its number is even, else of law."""
    subject = "law" if number % 2 else "biology"
    return scored(number, score, fields={"subject": subject, "source": f"page {number}"}, **members)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of two runs: `old` has the first 80 right, `new` all but the first 10, and refused the last."""
    folder = tmp_path_factory.mktemp("report")
    old = [answer(number, int(number <= 80)) for number in range(1, COUNT + 1)]
    old[6] = answer(7, 1, model_answer="Mitochondria, since they\nmake ATP.", reasoning="Let me think about cells.")
    new = [answer(number, int(number > 10)) for number in range(1, COUNT)]
    new.append({**refused(COUNT), "question": old[-1]["question"], "error": "the prompt is too long"})
    metadata = describe_run(COUNT, settings={"fields": {"group_by": "subject"}})
    save_results(folder / "old.json", old, metadata)
    save_results(folder / "new.json", new, metadata)
    runs = open_named_runs([f"old={folder / 'old.json'}", f"new={folder / 'new.json'}"])
    return write_runs(runs, folder / "report.html").path


def press(visit: Visit, name: str) -> None:
    """Click a filter."""
    visit.page.locator("#facets button", has_text=name).first.click()


def list_numbers(visit: Visit) -> list[str]:
    """Return the numbers of the questions in the table."""
    return visit.page.locator("#rows .open").all_text_contents()


def read_count(visit: Visit) -> str | None:
    """Return how many questions the page claims to show."""
    return visit.page.locator("#shown").text_content()


def read_focus(visit: Visit) -> str:
    """Return the name of what has the keyboard's focus."""
    named: str = visit.page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.id")
    return named


def test_the_first_questions_are_shown_with_their_verdicts(visit: Visit, report: Path) -> None:
    """The right choice, and for each run a sign with words; texts follow."""
    page = visit.open(report)
    assert read_count(visit) == "120 questions"
    row = page.locator("#rows tr").first
    row.get_by_text("Question 1?").wait_for()
    assert row.locator("td").all_text_contents() == ["1", "law", "Question 1?", "A", "✓right, chose A", "✗wrong, chose A"]


def test_a_filter_shows_what_it_says(visit: Visit, report: Path) -> None:
    """And every filter counts what it would show."""
    page = visit.open(report)
    assert page.locator("#facets .line").first.locator("button:visible").all_text_contents() == [
        "both right 70",
        "only old 10",
        "only new 39",
        "different scores 49",
        "not scored by both 1",
    ]
    press(visit, "only old")
    assert read_count(visit) == "10 of 120 questions"
    assert list_numbers(visit) == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
    page.locator("#group").select_option(label="law (5)")
    assert list_numbers(visit) == ["1", "3", "5", "7", "9"]
    page.get_by_role("button", name="Clear filters").click()
    assert read_count(visit) == "120 questions"


def test_filters_of_one_kind_widen_and_of_several_narrow(visit: Visit, report: Path) -> None:
    """Wrong or refused in the second run, of what is wrong in the first."""
    visit.open(report, "#r1=wrong")
    assert read_count(visit) == "40 of 120 questions"
    lines = visit.page.locator("#facets .line")
    lines.nth(2).locator("button", has_text="refused").click()
    assert read_count(visit) == "1 of 120 questions"
    lines.nth(2).locator("button", has_text="✓").click()
    assert read_count(visit) == "40 of 120 questions"


def test_a_search_finds_words_of_questions_and_answers(visit: Visit, report: Path) -> None:
    """In any case and order; words in quotes only as they stand there."""
    page = visit.open(report)
    field = page.get_by_placeholder("Search questions and answers")
    field.fill("atp MITOCHONDRIA")
    page.get_by_text("1 of 120 questions").wait_for()
    assert list_numbers(visit) == ["7"]
    field.fill('"atp mitochondria"')
    page.get_by_text("0 of 120 questions").wait_for()
    assert page.get_by_text("No question passes these filters.").is_visible()
    field.fill('"too long"')
    page.get_by_text("1 of 120 questions").wait_for()
    assert list_numbers(visit) == ["120"]


def test_a_column_is_sorted_both_ways(visit: Visit, report: Path) -> None:
    """And says so to a screen reader."""
    page = visit.open(report)
    heading = page.locator("th[data-sort=r2]")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert list_numbers(visit)[:11] == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert list_numbers(visit)[:3] == ["120", "11", "12"]
    assert page.locator("th[aria-sort=none]").count() == 3


def test_the_keyboard_does_everything(visit: Visit, report: Path) -> None:
    """Down, open, on to the next, search, leave, over the end of a page, close."""
    page = visit.open(report)
    page.keyboard.press("Alt+j")  # which belongs to the browser
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert read_focus(visit) == "Question 2"
    page.keyboard.press("Enter")
    page.locator("#details .answers").wait_for()
    page.keyboard.press("k")
    assert page.locator(".open[aria-expanded=true]").all_text_contents() == ["1"]
    page.keyboard.press("/")
    assert read_focus(visit) == "search"
    page.keyboard.type("j")
    assert page.locator("#search").input_value() == "j"
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    page.keyboard.press("j")
    assert read_focus(visit) == "Question 51"
    page.keyboard.press("k")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard").is_visible()


def test_a_page_turned_after_typing_stays_turned(visit: Visit, report: Path) -> None:
    """What was typed and taken back searches nothing once its field is left; what stands in it is searched at once."""
    page = visit.open(report)
    page.clock.install()
    page.locator("#search").fill("questions")
    page.locator("#search").fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    page.clock.run_for(1_000)
    assert list_numbers(visit)[0] == "51"
    page.locator("#search").fill("mitochondria")
    page.keyboard.press("Tab")
    page.get_by_text("1 of 120 questions").wait_for()


def test_a_question_opens_with_everything_about_it(visit: Visit, report: Path) -> None:
    """Choices with who chose them, each answer with its verdict, the model's own reasoning folded, other fields."""
    page = visit.open(report, "#q=7")
    details = page.locator("#details")
    assert details.locator(".stem").text_content() == "Question 7?"
    right = details.locator(".choices li").first.inner_text()
    assert right.split() == ["A", "one", "✓", "right", "chosen", "by", "old", "new"]
    old = details.locator(".answer").first
    assert old.locator("h3").inner_text().split("\n") == ["old", "✓ right"]
    assert old.locator(".answer-text").first.inner_text() == "Mitochondria, since they\nmake ATP."
    reasoning = old.get_by_text("Let me think about cells.")
    assert reasoning.is_hidden()
    old.locator("summary").click()
    assert reasoning.is_visible()
    assert details.locator(".others").inner_text().split("\n") == ["subject", "law", "source", "page 7"]


def test_a_link_opens_its_question_on_its_page(visit: Visit, report: Path) -> None:
    """Within the filters that the link names; one that they leave out clears them."""
    page = visit.open(report, "#r1=right&sort=-number&q=10")
    assert page.locator(".open[aria-expanded=true]").all_text_contents() == ["10"]
    assert page.locator("#range").text_content() == "51–80 of 80"
    visit.open(report, "#r1=wrong&q=99")
    assert read_count(visit) == "40 of 120 questions"
    page.evaluate("location.hash = '#r1=wrong&q=3'")
    page.locator(".open[aria-expanded=true]", has_text="3").wait_for()
    assert read_count(visit) == "120 questions"


def test_an_open_question_stays_open_while_the_filters_show_it(visit: Visit, report: Path) -> None:
    """On whichever page it then stands."""
    page = visit.open(report, "#q=75")
    press(visit, "both right")
    assert page.locator(".open[aria-expanded=true]").all_text_contents() == ["75"]
    assert page.locator("#range").text_content() == "51–70 of 70"
    press(visit, "both right")
    press(visit, "only old")
    assert page.locator(".open[aria-expanded=true]").count() == 0


def test_a_question_that_only_a_later_run_has_is_linked_by_that_run(visit: Visit, tmp_path: Path) -> None:
    """Since its number may be that of another question in the first."""
    save_results(tmp_path / "old.json", [scored(1, 1), scored(2, 1)])
    save_results(tmp_path / "new.json", [scored(1, 1, "Only here?"), {**scored(2, 0), "question_id": 3}])
    runs = open_named_runs([f"{name}={tmp_path / name}.json" for name in ("old", "new")])
    page = visit.open(write_runs(runs, tmp_path / "report.html").path, "#q=2.1")
    page.locator("#details .stem", has_text="Only here?").wait_for()
    assert page.evaluate("location.hash") == "#q=2.1"
    assert page.locator("#rows tr.is-open .verdict").all_text_contents() == ["not in this run", "✓right, chose A"]


def test_the_address_is_a_link_to_what_is_shown(visit: Visit, report: Path) -> None:
    """Opened elsewhere, it shows the same."""
    page = visit.open(report)
    press(visit, "only new")
    page.locator("th[data-sort=group] button").click()
    page.locator("#rows .open").nth(2).click()
    address: str = page.evaluate("location.hash")
    assert address == "#is=only2&sort=group&q=86"
    shown = list_numbers(visit)
    visit.open(report, address)
    assert list_numbers(visit) == shown
    assert page.locator(".open[aria-expanded=true]").all_text_contents() == ["86"]


def test_a_link_to_a_question_that_is_not_there_shows_them_all(visit: Visit, report: Path) -> None:
    """Nor does any other nonsense in an address do harm."""
    visit.open(report, "#q=9999&r1=nonsense&sort=%3Cb%3E&group=none&m7=x")
    assert read_count(visit) == "120 questions"


def test_numbers_of_the_head_lead_to_their_questions(visit: Visit, report: Path) -> None:
    """Such as those that only one run has right."""
    page = visit.open(report)
    page.get_by_role("link", name="39 only new").click()
    page.get_by_text("39 of 120 questions").wait_for()
    assert list_numbers(visit)[0] == "81"
