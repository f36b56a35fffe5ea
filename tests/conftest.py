"""Gives the tests a Prefect home and working directories of their own; the home is set before anything imports Prefect."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

_HOME = tempfile.mkdtemp(prefix="mcqa-tests-")
os.environ["PREFECT_HOME"] = _HOME
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "0"
for _name in ("PREFECT_API_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(_name, None)
for _signal in (signal.SIGINT, signal.SIGHUP):
    # Under nohup, or in the background of a script, the commands that tests start would inherit that the signal is ignored.
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, lambda *_: None)

import pytest
from hypothesis import settings

from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_questions

# The same examples every time; `--hypothesis-profile=long` draws many new ones.
settings.register_profile("few", derandomize=True, max_examples=200, deadline=None)
settings.register_profile("long", max_examples=8_000, deadline=None)
settings.load_profile("few")

# All tests in these folders get this mark, and are slow.
MARKED_FOLDERS = {"browser": "browser", "pages": "browser", "crash": "crash"}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the slow folders; those that share `mcqa serve` run in one process."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.xdist_group("browser"))
        if item.path.parent.name in MARKED_FOLDERS:
            item.add_marker(MARKED_FOLDERS[item.path.parent.name])
            item.add_marker("slow")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes by their number: those of a compressed file may differ between the processes that collect the tests."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


if TYPE_CHECKING:
    from tests.support.evaluation import Evaluation  # which imports what only some tests need


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def endpoint() -> Iterator[FakeEndpoint]:
    """Yield a model server on loopback."""
    with FakeEndpoint() as server:
        yield server


@pytest.fixture
def evaluation(folder: Path, endpoint: FakeEndpoint) -> "Evaluation":
    """Return an evaluation below Prefect, of forty questions, each with a context of its own."""
    from tests.support.evaluation import Evaluation

    write_questions(folder, [{**question, "text": f"About {n}"} for n, question in enumerate(make_questions(40))])
    return Evaluation(endpoint)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """Yield the address of one Prefect server for all tests that need one."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield str(PREFECT_API_URL.value())
