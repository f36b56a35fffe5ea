"""Texts of questions, models and files are shown as they are, whatever they hold: none runs, loads or sends anything."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.pages.page import write_runs
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.pages.conftest import Visit
from tests.support.saved_runs import describe_run, refused, save_results, scored

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = "</script><script>window.ran = 1</script>"
IMAGE = '"><img src=x onerror="window.ran = 2"><svg onload="window.ran = 3">'
LINK = '<a href="javascript:window.ran = 4">press</a>{{ 7 * 7 }}{% raw %}<!-- <script> -->'
STYLE = "</style><style>body { display: none }</style><meta http-equiv=refresh content=0;url=http://127.0.0.1:9/>"
EVERY = f"{SCRIPT} {IMAGE} {LINK} {STYLE}"
ARABIC = "\u202eهذا سؤال\u202c \u2066evil\u2069 \u200f"
CONTROLS = "a\x00b\x1bc\x1e\x1fd\x7fe\u2028f\ud800g\ufefff\r\nh"
SHOWN_CONTROLS = "a␀b␛c␞␟d␡e\u2028f\ufffdg\ufefff\nh"
LONG = "<b>long</b> " * 8_334  # 100 kB


def make_hostile(number: int, score: float) -> JsonObject:
    """Return the record of a question of which every text is markup with a script."""
    evaluation: JsonObject = {"reference_choice": EVERY, "model_choice": EVERY, "reasoning": EVERY, "clarification": EVERY}
    return scored(
        number,
        score,
        f"{EVERY} {number}\nA) {EVERY}\nB) two",
        reference=EVERY,
        **{"question_id": f"<b>{number}</b>{SCRIPT}"} if number == 3 else {},
        model_answer=EVERY,
        evaluation={**evaluation, "probabilities": {EVERY: 0.5}, "score": score},
        reasoning=EVERY,
        finish_reason=EVERY,
        response_model=EVERY,
        fields={EVERY: EVERY, "__proto__": EVERY, "constructor": 1},
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of two runs with hostile names, settings, texts, groups and errors."""
    folder = tmp_path_factory.mktemp("report")
    path = folder / "<img src=x onerror=alert(1)>.json"
    metadata = describe_run(
        8,
        model=EVERY,
        settings={"fields": {"group_by": EVERY}, "model": EVERY, EVERY: EVERY},
        evaluation={"prompt": {"mc": EVERY, "system": EVERY}, "timestamp": EVERY},
        questions_file=f"/exams/{EVERY}.json",
    )
    records: list[JsonObject] = [
        make_hostile(1, 1),
        make_hostile(2, 0),
        make_hostile(3, 0.5),
        scored(4, 1, f"{ARABIC} before?\nA) {ARABIC}\nB) two", model_answer=ARABIC, reasoning=ARABIC),
        scored(5, 1, f"{CONTROLS}?\nA) one\nB) two", model_answer=CONTROLS, fields={CONTROLS: CONTROLS}),
        scored(6, 1, f"Long {LONG}?\nA) one\nB) two", model_answer=LONG),
        {**refused(7), "question": EVERY, "error": EVERY},
        {"question_id": 8, "error": EVERY, "skipped": True},
    ]
    save_results(path, records, metadata)
    save_results(folder / "second.json", [*records[:2], {**records[2], "score": 1.0}, *records[3:]], metadata)
    runs = [open_saved_run(path, SCRIPT), open_saved_run(folder / "second.json", IMAGE)]
    return write_runs(runs, folder / "report.html").path


def open_details(visit: Visit, report: Path, address: str) -> "Page":
    """Show a question's details, with everything unfolded."""
    page = visit.open(report, address)
    page.locator("#details .answers").wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    return page


@pytest.mark.parametrize("number", [1, 2, 3, 7, 8])
def test_markup_is_shown_and_never_run(visit: Visit, report: Path, number: int) -> None:
    """In the head, in the tables, in the controls and in every part of an open question."""
    page = open_details(visit, report, f"#q={number}")
    assert page.evaluate("window.ran") is None
    assert page.locator("img, iframe, object, embed, link, base, form").count() == 0
    assert page.locator("style").count() == 1
    assert page.locator("script:not([type='text/plain'])").count() == 2  # the data and the code
    assert page.locator("a[href^='javascript']").count() == 0
    assert EVERY in page.locator("#details").inner_text()


def test_markup_in_names_is_text(visit: Visit, report: Path) -> None:
    """Of runs, models, groups, fields, settings and files."""
    page = open_details(visit, report, "#q=1")
    assert page.locator("#accuracy tbody th").all_inner_texts() == [SCRIPT, IMAGE]
    facts = page.locator("#run").inner_text()
    assert "<img src=x onerror=alert(1)>.json" in facts
    assert EVERY in facts
    assert page.locator("#group option").nth(1).inner_text() == f"{EVERY} (3)"


def test_signs_that_turn_the_direction_stay_in_their_text(visit: Visit, report: Path) -> None:
    """The texts beside them stand where they stood."""
    page = open_details(visit, report, "#q=4")
    assert page.locator("#details .stem").inner_text() == f"{ARABIC} before?"
    styles = page.evaluate(
        "[...document.querySelectorAll('#details .text, #details .choice-text, .preview')]"
        ".map((each) => getComputedStyle(each).unicodeBidi)"
    )
    assert set(styles) <= {"isolate", "plaintext"}


def test_signs_that_nobody_can_see_are_shown(visit: Visit, report: Path) -> None:
    """Control characters, half a surrogate pair; what separates records takes no record apart."""
    page = open_details(visit, report, "#q=5")
    assert page.locator("#details .stem").text_content() == f"{SHOWN_CONTROLS}?"
    assert page.locator("#details .answer-text").first.text_content() == SHOWN_CONTROLS
    assert page.locator("#details .others dt").text_content() == SHOWN_CONTROLS
    assert page.locator("#rows .preview").count() == 8


def test_a_long_text_is_there_to_its_end(visit: Visit, report: Path) -> None:
    """100 kB, in a place that scrolls, also by keyboard."""
    page = open_details(visit, report, "#q=6")
    answer = page.locator("#details .answer-text").first
    assert answer.text_content() == LONG
    assert answer.get_attribute("tabindex") == "0"
    assert answer.evaluate("(element) => element.clientHeight") < 500


def test_the_policy_forbids_all_but_the_page_s_own_code(visit: Visit, report: Path) -> None:
    """Even if markup got in: no script, no handler, no style, no image, no request, no form."""
    page = visit.open(report)
    refusals = page.evaluate(
        """async () => {
            const refused = new Set(), wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
            document.addEventListener("securitypolicyviolation", (event) => refused.add(event.effectiveDirective));
            const script = document.createElement("script"), image = new Image(), style = document.createElement("style");
            try { script.textContent = "window.ran = 5"; } catch (error) { refused.add(error.name); }
            try { document.body.innerHTML = "<b>markup</b>"; } catch (error) { refused.add(error.name); }
            image.src = "http://127.0.0.1:9/";
            style.textContent = "body { display: none }";
            document.body.append(script, image, style);
            await fetch("http://127.0.0.1:9/").catch(() => {});
            await wait(50);
            return [...refused].sort();
        }"""
    )
    visit.messages.clear()  # the browser has written each refusal to the console
    assert refusals == ["TypeError", "connect-src", "img-src", "require-trusted-types-for", "style-src-elem"]
    assert page.evaluate("window.ran") is None
    assert page.locator("main").is_visible()
