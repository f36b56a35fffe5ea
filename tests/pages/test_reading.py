"""A report can be read on any screen, on paper, in the dark and by a screen reader, whatever the runs are like."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.pages.page import write_runs
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.pages.conftest import Visit
from tests.support.saved_runs import describe_run, refused, save_checkpoint, save_original, save_results, score_all, scored
from tests.support.saved_runs import unusable as cannot_be_asked

LONG_NAME = "meta-llama/Llama-3.1-8B-Instruct-with-a-name-that-no-phone-has-room-for"
Save = Callable[[Path], Path]


def write(folder: Path, *saves: Save) -> Path:
    """Write runs and their report."""
    runs = [open_saved_run(save(folder / f"run{place}.json"), f"run {place}") for place, save in enumerate(saves, start=1)]
    return write_runs(runs, folder / "report.html").path


def results(records: Sequence[JsonObject], selected: int = 0, **settings: JsonObject) -> Save:
    """Return a function that saves results of ours."""
    metadata = describe_run(selected or len(records), settings=dict(settings))
    return lambda path: save_results(path, records, metadata)


def ask_thrice(number: int, scores: tuple[int, int, int]) -> JsonObject:
    """Return the record of a question that was asked three times."""
    attempts: list[JsonValue] = [
        {"model_answer": f"try {score}", "score": score, "evaluation": {"model_choice": "A"}} for score in scores
    ]
    return scored(number, sum(scores) / 3, repeats=attempts)


def answer_shortly(number: int, score: float) -> JsonObject:
    """Return the record of a question without choices."""
    evaluation: JsonObject = {"score": score, "reasoning": "", "format": "qa"}
    record = scored(number, score, f"What is {number} + {number}?", reference=str(2 * number))
    return {**record, "format": "qa", "evaluation": evaluation}


THRICE = [ask_thrice(1, (1, 1, 1)), ask_thrice(2, (1, 0, 1))]
MISSING = [*score_all([1, 0]), refused(3), cannot_be_asked(4)]


@pytest.mark.parametrize(
    ("saves", "rows", "said"),
    [
        pytest.param([results([], selected=3)], 0, "run 1 has no score yet", id="zero questions"),
        pytest.param([results(score_all([0, 0]))], 2, "run 1 answers 0.0 % of 2 questions right", id="all wrong"),
        pytest.param([results(score_all([0.5, 0.25]))], 2, "run 1 reaches 37.5 % of the points on 2 questions", id="grades"),
        pytest.param([results(THRICE, processing={"repeats": 3})], 2, "Each question was asked 3 times.", id="repeats"),
        pytest.param([results(MISSING, selected=9)], 4, "5 not scored yet", id="missing"),
        pytest.param([results([answer_shortly(1, 1), answer_shortly(2, 0)])], 2, "50.0 % of 2 questions right", id="short"),
        pytest.param([lambda path: save_original(path, score_all([1, 0]))], 2, "run 1 answers 50.0 %", id="original scorer"),
        pytest.param([lambda path: save_checkpoint(path, score_all([1]), describe_run(1))], 1, "The question", id="checkpoint"),
        pytest.param([results(score_all([1, 0, 1]))] * 6, 3, "None of 6 runs can be told apart from the best", id="six runs"),
    ],
)
def test_every_kind_of_run_has_a_page(visit: Visit, tmp_path: Path, saves: Sequence[Save], rows: int, said: str) -> None:
    """With every question that its file holds."""
    page = visit.open(write(tmp_path, *saves))
    assert page.locator("#rows .open").count() == rows
    assert said.replace("\u00a0", " ") in page.locator("body").inner_text().replace("\u00a0", " ")


def test_each_repeat_is_folded_under_its_verdict(visit: Visit, tmp_path: Path) -> None:
    """And the choices say how often each was chosen."""
    page = visit.open(write(tmp_path, results(THRICE, processing={"repeats": 3})), "#q=2")
    attempts = page.locator("#details .attempt summary")
    attempts.nth(2).wait_for()
    assert attempts.all_inner_texts() == [
        "Attempt 1: ✓ right, chose A",
        "Attempt 2: ✗ wrong, chose A",
        "Attempt 3: ✓ right, chose A",
    ]
    assert page.locator("#details .chooser").all_inner_texts() == ["run 1 3 of 3 times"]


def test_a_page_that_would_be_too_large_leaves_texts_out(visit: Visit, tmp_path: Path) -> None:
    """It says so, and keeps verdicts, filters and links."""
    run = open_saved_run(results(score_all([1, 0, 1]))(tmp_path / "run.json"), "run")
    written = write_runs([run], tmp_path / "report.html", most_bytes=2_000_100)
    assert not written.has_texts
    page = visit.open(written.path, "#r1=right&q=3")
    assert page.get_by_text("The texts of questions and answers are left out").is_visible()
    assert page.locator("#details").get_by_text("The results file holds the texts.").is_visible()
    assert page.locator("#rows .open").all_text_contents() == ["1", "3"]
    assert page.get_by_role("searchbox").count() == 0


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of two runs with long names, groups, and something missing."""
    folder = tmp_path_factory.mktemp("report")
    subjects = ["law", "biology"] * 6
    records = [scored(n, n % 2, fields={"subject": subject}) for n, subject in enumerate(subjects, start=1)]
    metadata = describe_run(13, settings={"fields": {"group_by": "subject"}})
    save_results(folder / "old.json", [*records, refused(13)], metadata)
    save_results(folder / "new.json", [{**record, "score": 1} for record in records], metadata)
    runs = [open_saved_run(folder / f"{name}.json", f"{LONG_NAME}-{name}") for name in ("old", "new")]
    return write_runs(runs, folder / "report.html").path


def test_a_screen_reader_finds_its_way(visit: Visit, report: Path) -> None:
    """Landmarks, one first heading, columns and rows with headers, counts that are announced."""
    page = visit.open(report)
    assert [page.get_by_role(role).count() for role in ("banner", "main", "navigation", "search")] == [1, 1, 1, 1]
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("table", name="Questions").get_by_role("columnheader").count() == 6
    assert page.locator("#accuracy").get_by_role("rowheader").count() == 2
    assert page.locator("#shown").get_attribute("aria-live") == "polite"
    assert page.locator("html").get_attribute("lang") == "en"


def test_no_verdict_is_told_by_its_colour_alone(visit: Visit, report: Path) -> None:
    """A sign and words for each verdict, a shape for each run."""
    page = visit.open(report)
    assert page.locator("#rows .verdict").first.text_content() == "✓right, chose A"
    assert page.locator("#rows tr").nth(1).locator(".verdict").first.text_content() == "✗wrong, chose A"
    shapes = page.locator("#accuracy tbody th use")
    assert [shapes.nth(run).get_attribute("href") for run in (0, 1)] == ["#shape-0", "#shape-1"]


def test_both_colour_schemes_are_drawn(visit: Visit, report: Path) -> None:
    """As the reader's system has it."""
    page = visit.open(report)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(252, 251, 249)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == "rgb(22, 24, 28)"


def test_nothing_is_wider_than_the_smallest_phone(visit: Visit, report: Path) -> None:
    """Whatever the runs are called."""
    visit.page.set_viewport_size({"width": 320, "height": 800})
    page = visit.open(report, "#q=1")
    page.locator("#details .answers").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_paper_shows_no_controls(visit: Visit, report: Path) -> None:
    """But everything that can be read, in light colours."""
    page = visit.open(report)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#accuracy").is_visible()
    assert page.locator("#rows tr").first.is_visible()
    assert page.locator("nav, #search, .pager button, #show-help").locator("visible=true").count() == 0
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


def test_the_focus_can_be_seen(visit: Visit, report: Path) -> None:
    """First on a link that skips to the questions."""
    page = visit.open(report)
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Skip to the questions"
    assert focused.evaluate("(element) => getComputedStyle(element).outlineWidth") == "2px"
    assert focused.evaluate("(element) => element.getBoundingClientRect().top") >= 0
