"""The window of cells: as many at once as the suite says, but never two model servers on this machine."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prefect.states import Completed

from flows.suites.cell_window import CellWindow
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.suite_file import read_suite
from tasks.evaluation.suites.plan import CellPlan, plan_suite
from tests.support.fake_endpoint import make_questions, write_config, write_questions


class Cells:
    """Starts cells that end when they are told to."""

    def __init__(self) -> None:
        self.running: dict[str, Any] = {}

    def start(self, plan: CellPlan, _: object) -> Any:
        self.running[plan.cell.name] = running = Running()
        return running

    def end(self, name: str) -> None:
        self.running.pop(name).set_result(None)


class Running(Future[None]):
    """A cell's future, as Prefect has it."""

    state: Any = Completed()

    def wait(self, timeout: float | None = None) -> None:
        """Return at once: it has ended."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> None:
        """Return nothing."""


@pytest.fixture
def plans(folder: Path) -> list[CellPlan]:
    """Return four cells, of which the first and the second start a model server."""
    write_questions(folder, make_questions(1))
    write_config(folder, "http://127.0.0.1:9/v1")
    (folder / "suite.yaml").write_text("config: config.yaml\nmodels: [a, b, c, d]\nquestions: [exam.json]")
    planned = plan_suite(read_suite("suite.yaml"), KeyReader({"FAKE_KEY": "x"}, str), is_dry=True)
    return [replace(plan, starts_server=number < 2) for number, plan in enumerate(planned)]


def test_one_model_server_at_a_time(plans: list[CellPlan]) -> None:
    """Others run beside it; the second waits for the first."""
    cells = Cells()
    window = CellWindow(plans, cells.start, 2)
    assert [window.fill(), window.fill(), window.fill()] == [True] * 3
    assert [*cells.running] == ["a,exam", "c,exam"]
    cells.end("c,exam")
    assert window.wait()
    window.fill()
    assert [*cells.running] == ["a,exam", "d,exam"]
    cells.end("a,exam")
    assert window.wait()
    window.fill()
    assert [*cells.running] == ["d,exam", "b,exam"]


def test_after_a_halt_no_other_cell_is_started(plans: list[CellPlan]) -> None:
    """Those that run are waited for; the others have not begun."""
    cells = Cells()
    window = CellWindow(plans, cells.start, 2)
    window.fill()
    window.halt.reason = "a signal was received"
    assert window.fill()
    assert window.wait() is None
    cells.end("a,exam")
    assert window.wait()
    assert not window.fill()
    assert [plan.cell.name for plan in window.not_begun] == ["b,exam", "c,exam", "d,exam"]
