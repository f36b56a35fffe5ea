"""One Chromium for all tests of a module, and a page in it that keeps watch on what it is not to do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.chromium import open_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

SECONDS = 30_000  # milliseconds; a busy machine takes long to draw a page


@dataclass
class Visit:
    """A browser's page, and what was noticed while it showed a report."""

    page: "Page"
    """The page."""
    requests: list[str] = field(default_factory=list)
    """The addresses that were asked for, but for those that the page's policy stopped."""
    messages: list[str] = field(default_factory=list)
    """Errors, dialogs and everything that was written to the console."""

    def open(self, report: Path, address: str = "") -> "Page":
        """Show the report at an address behind its `#`, with its questions unpacked."""
        self.page.goto("about:blank")  # else another address of the same file would not load it again
        self.page.goto(f"{report.as_uri()}{address}")
        self.page.locator("#rows tr").first.wait_for()
        return self.page

    def dismiss(self, dialog: "Dialog") -> None:
        """Note what a dialog says, and close it."""
        self.messages.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Yield a browser."""
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser: "Browser") -> Iterator[Visit]:
    """Yield a new page; the test fails if it asked for anything, or if anything went wrong in it."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(SECONDS)
    visit = Visit(page)
    page.on("requestfinished", lambda request: visit.requests.append(request.url))
    page.on("requestfailed", lambda request: visit.requests.extend([] if request.failure == "csp" else [request.url]))
    page.on("console", lambda message: visit.messages.append(message.text))
    page.on("pageerror", lambda error: visit.messages.append(str(error)))
    page.on("dialog", visit.dismiss)
    yield visit
    page.close()
    assert [url for url in visit.requests if not url.endswith("/report.html")] == []
    assert visit.messages == []
