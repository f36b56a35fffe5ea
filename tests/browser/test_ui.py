"""What a person does who has only the UI open, in headless Chromium; each page is also kept as a screenshot."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from tests.browser.test_retry import WORKERS, assert_continued, start_held
from tests.support.chromium import open_chromium
from tests.support.fake_endpoint import Reply, error, prompt_of
from tests.support.served import COUNT, Served, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Response

SCREENSHOTS = Path(__file__).parent / "screenshots"
SECONDS = 60_000  # milliseconds; a busy machine takes long to draw a page


@pytest.fixture(scope="module")
def page() -> "Iterator[Page]":
    """Yield a page in a browser that is installed on this machine."""
    with open_chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1300})
        page.set_default_timeout(SECONDS)
        yield page


def shoot(page: "Page", name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def open_run(page: "Page", served: Served, run_id: str) -> None:
    page.goto(f"{served.url}/runs/flow-run/{run_id}")
    page.get_by_text("Artifacts", exact=True).wait_for()


def open_artifact(page: "Page", key: str) -> None:
    """Open an artifact from the page of its run."""
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text(key, exact=True).first.click()  # the newest, of a run that was retried
    page.get_by_text("Last Updated").first.wait_for()


def fill(page: "Page", label: str, value: str) -> None:
    """Fill a field of the run form."""
    field = page.locator(".p-label", has_text=re.compile(rf"^\s*{label}")).locator("input, textarea").first
    field.fill(value)


def submit(page: "Page") -> str:
    """Press Submit until the server has created the run, as a person would; return the run's id.

    A press while the page still draws itself is lost, and a server whose database is busy refuses.
    """
    created: list[Response] = []

    def note(response: "Response") -> None:
        if response.url.endswith("/create_flow_run") and response.ok:
            created.append(response)

    def has_created() -> bool:
        if not created and button.is_visible():
            button.click()
            page.wait_for_timeout(5_000)
        return bool(created)

    button = page.get_by_role("button", name="Submit")
    page.on("response", note)
    wait_until(has_created)
    page.remove_listener("response", note)
    return str(created[0].json()["id"])


def test_the_form_refuses_a_wrong_value_and_starts_a_run(served: Served, page: "Page") -> None:
    """An empty field is left out; what was chosen is what is asked."""
    config = served.write("form")
    page.goto(f"{served.url}/deployments/deployment/{served.deployment('evaluate')['id']}/run")
    page.get_by_text("Another path", exact=True).first.click()
    fill(page, "Configuration file", config)
    fill(page, "Number of questions", "0")
    page.set_viewport_size({"width": 1280, "height": 2700})
    shoot(page, "form")
    page.set_viewport_size({"width": 1280, "height": 1300})
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("Failure reason: 0 is less than the minimum of 1").first.wait_for()
    shoot(page, "form-refused")
    assert served.asked("form") == 0
    fill(page, "Number of questions", "7")
    run = served.run(submit(page))
    assert run["parameters"]["config_file"] == config
    assert (run["parameters"]["overrides"], run["parameters"]["advanced"]) == ({"limit": 7}, {})
    served.wait_for(run["id"], "Completed")
    assert served.asked("form") == 7


def test_a_run_is_started_from_menus_alone(served: Served, page: "Page") -> None:
    """In the second version of the UI: nothing is typed."""
    page.goto(f"{served.url}/v2/deployments/deployment/{served.deployment('evaluate')['id']}/run")
    choose(page, "In the folder", "offered.yaml", at=0)
    choose(page, "In the folder", "offered.json", at=1)
    choose(page, "In the model servers file", "judge", at=0)
    page.set_viewport_size({"width": 1280, "height": 3300})
    shoot(page, "form-with-menus")
    page.set_viewport_size({"width": 1280, "height": 1300})
    run = served.run(submit(page))
    assert run["parameters"]["config_file"] == "offered.yaml"
    assert run["parameters"]["overrides"] == {"questions_file": "offered.json", "model": "judge"}
    served.wait_for(run["id"], "Completed")


def choose(page: "Page", menu: str, value: str, at: int) -> None:
    """Choose from the menu that is the `at`-th of this title."""
    page.get_by_text(menu, exact=True).nth(at).click()
    page.get_by_label(f"Select {menu}").nth(at).click()
    page.get_by_role("option", name=value, exact=True).click()


def test_a_run_in_progress_is_watched_cancelled_and_retried(served: Served, page: "Page") -> None:
    """Its progress is seen between two checkpoints too; Cancel saves, and says so; Retry at once asks what is missing."""
    run_id, release = start_held(served, "cancelled")
    wait_until(lambda: bool(re.match(r"\d\d/120, ", served.progress("cancelled"))))
    open_run(page, served, run_id)
    shoot(page, "running")
    open_artifact(page, "cancelled-fake-progress")
    page.get_by_text(re.compile(rf"/{COUNT}, ")).first.wait_for()
    shoot(page, "progress")
    open_run(page, served, run_id)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Confirm").click()
    message = served.wait_for(run_id, "Cancelled")
    assert re.fullmatch(r"\d+ of 120 scored. Retry asks what is missing", message)
    release.set()
    page.reload()
    shoot(page, "cancelled")
    served.wait_for_late_report(run_id, message)
    press_retry(page)
    assert_continued(served, "cancelled", run_id)


def press_retry(page: "Page") -> None:
    page.get_by_role("button", name="Retry").first.click()
    page.get_by_role("button", name="Retry").nth(1).click()


def test_a_reached_budget_is_raised_in_the_form_of_resume(served: Served, page: "Page") -> None:
    """The run is suspended; with a higher cap it finishes, and each question is asked once."""
    config = served.write("budget", parallel_workers=4)
    run_id = served.start(config_file=config, overrides={"max_tokens": 20, "max_tokens_total": 800})
    served.wait_for(run_id, "Suspended")
    assert 0 < served.asked("budget") < COUNT
    open_run(page, served, run_id)
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_text("the budget is reached").wait_for()
    shoot(page, "budget-reached")
    fill(page, "Most tokens", "5000")
    page.get_by_role("button", name="Submit").click()
    served.wait_for(run_id, "Completed", "Failed", "Crashed")
    assert served.state(run_id)[0] == "Completed"
    assert served.asked("budget") == COUNT


def test_a_failed_run_is_read_and_retried(served: Served, page: "Page") -> None:
    """The message has the number first, the table names the questions, the log has no line for each task run."""
    config = served.write("failed", parallel_workers=WORKERS, max_outage_seconds=2)
    broken = {f"Question {number}: " for number in (11, 60, 61)}
    before = served.endpoint.rule

    def rule(body: dict[str, Any]) -> Reply:
        is_broken = "(failed)" in prompt_of(body) and any(words in prompt_of(body) for words in broken)
        return error(500, "out of memory", **{"retry-after-ms": "1"}) if is_broken else before(body)

    served.endpoint.rule = rule
    run_id = served.start(config_file=config)
    message = served.wait_for(run_id, "Failed", "Completed")
    assert re.fullmatch(r"3 of 120 questions not scored: .*the generator answered 500: out of memory( \(\d\))?", message)
    open_run(page, served, run_id)
    page.get_by_text("Checkpoint saved").first.wait_for()
    shoot(page, "failed")
    assert {log["task_run_id"] for log in served.logs(run_id)} == {None}
    wait_until(lambda: served.logs(run_id, level=40) != [])
    *_, warning, end = (log["message"] for log in served.logs(run_id, level=30))
    assert warning.startswith("⚠️ Not scored: ")
    assert end == f"{message}. Retry asks what is missing"
    open_artifact(page, "failed-fake-not-scored")
    page.get_by_text("What to do").wait_for()
    assert all(page.get_by_text(re.compile(rf"\b{number}\b")).count() for number in (11, 60, 61))
    shoot(page, "not-scored")
    open_run(page, served, run_id)
    open_artifact(page, "failed-fake-report")
    page.get_by_text("3 of 120 questions not scored.").first.wait_for()
    shoot(page, "report-of-a-failed-run")
    broken.clear()
    asked = served.asked("failed")
    open_run(page, served, run_id)
    press_retry(page)
    served.wait_for(run_id, "Completed")
    assert served.asked("failed") - asked == 3
    shown = {artifact["key"]: artifact["data"] for artifact in served.artifacts(run_id)}
    assert len(shown) == len(served.artifacts(run_id))
    assert "failed-fake-not-scored" not in shown
    link = shown["failed-fake-files"].removeprefix("[Report with every question](").removesuffix(")")
    with urlopen(link.replace(".html", ".json")) as results:
        assert len(json.load(results)["results"]) == COUNT
    page.goto(link)
    page.get_by_text(f"of {COUNT} questions right").first.wait_for()
    page.get_by_text("Question 1: which of these is it?").first.wait_for()
    shoot(page, "report-with-every-question")
    open_run(page, served, run_id)
    open_artifact(page, "failed-fake-report")
    page.get_by_text("First wrong answers").first.wait_for()
    shoot(page, "report")


def test_a_schedule_is_switched_on(served: Served, page: "Page") -> None:
    """And off again, on the deployment's page."""
    nightly = served.deployment("nightly")
    page.goto(f"{served.url}/deployments/deployment/{nightly['id']}")
    switch = page.get_by_role("switch").first
    switch.wait_for()
    shoot(page, "nightly")
    switch_to(switch, served, is_on=True)
    switch_to(switch, served, is_on=False)


def switch_to(switch: "Locator", served: Served, *, is_on: bool) -> None:
    """Click until it is so: a server whose database is busy refuses, and the switch goes back."""

    def has_switched() -> bool:
        if switch.get_attribute("aria-checked") != str(is_on).lower():
            switch.click()
        return bool(served.deployment("nightly")["schedules"][0]["active"] == is_on)

    wait_until(has_switched)
