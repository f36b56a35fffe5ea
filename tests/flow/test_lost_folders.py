"""Folders that vanish or take nothing more in the middle of a run, and a damaged log, under a real Prefect server."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.exam import COUNT, run
from tests.support.fake_endpoint import (
    FakeEndpoint,
    answer_by_rule,
    error,
    hold_back,
    wait_until,
    write_config,
)
from tests.support.results import assert_complete

WORKERS = 4
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exam")]


def run_and_lose(config: str, endpoint: FakeEndpoint, lose: Callable[[], object]) -> Any:
    """Run, lose something when 40 answers have come and another is in flight, and return the state in which the run ends."""
    release = hold_back(endpoint, after=40)

    def act() -> None:
        wait_until(lambda: len(endpoint.bodies) > 40)
        lose()
        release.set()

    thread = threading.Thread(target=act)
    thread.start()
    state = run(config)
    thread.join()
    return state


@pytest.mark.parametrize("vanished", ["checkpoints", "checkpoints/.mcqa/answers"])
def test_a_folder_that_vanishes_stops_the_run(folder: Path, endpoint: FakeEndpoint, vanished: str) -> None:
    """What has arrived is saved in the folder that the last save makes again; the same command ends right."""
    config = write_config(folder, endpoint.url, parallel_workers=WORKERS)
    state = run_and_lose(config, endpoint, lambda: shutil.rmtree(folder / vanished))
    assert state.is_failed()
    assert "No such file or directory; make room or fix the folder, then run the same command again" in state.message
    assert len(endpoint.asked()) <= 40 + 2 * WORKERS
    assert run(config).is_completed()
    assert_complete(folder / "out", endpoint, COUNT, asked_again=WORKERS)


def test_an_output_folder_that_vanishes_is_made_anew(folder: Path, endpoint: FakeEndpoint) -> None:
    """At the end of the run."""
    config = write_config(folder, endpoint.url, parallel_workers=WORKERS)
    assert run_and_lose(config, endpoint, lambda: shutil.rmtree(folder / "out")).is_completed()
    assert_complete(folder / "out", endpoint, COUNT, asked_again=0)


def put_file(path: Path) -> None:
    """Put a file in the place of a folder, so that nothing can be written there."""
    shutil.rmtree(path, ignore_errors=True)
    path.write_text("")


def test_an_output_folder_that_takes_nothing_is_said(folder: Path, endpoint: FakeEndpoint) -> None:
    """Every score is kept; when it takes something again, the results are written without a question."""
    config = write_config(folder, endpoint.url, parallel_workers=WORKERS)
    state = run_and_lose(config, endpoint, lambda: put_file(folder / "out"))
    assert state.is_failed()
    assert "every score is kept: make room or fix the folder" in state.message
    (folder / "out").unlink()
    assert run(config).is_completed()
    assert_complete(folder / "out", endpoint, COUNT, asked_again=0)


def test_a_damaged_log_costs_the_damaged_records_alone(
    folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """A torn last line is cut, a bad one elsewhere is reported; of all the others nothing is asked again."""
    config = write_config(folder, endpoint.url, parallel_workers=WORKERS)
    endpoint.rule = lambda body: error(401, "bad key") if len(endpoint.bodies) > 40 else answer_by_rule(body)
    assert run(config).is_failed()
    [segment] = (folder / "checkpoints/.mcqa/answers").iterdir()
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join([b"\x00\xff{\n", *lines[1:-1], lines[-1][:-9]]))
    answers = sum(b'"kind":"answer"' in line for line in lines[1:-1])
    keep_only_the_log(folder / "checkpoints")
    endpoint.rule = answer_by_rule
    endpoint.forget()
    capsys.readouterr()
    assert run(config).is_completed()
    assert f"Passed over 1 damaged lines of the answer log: {segment.relative_to(folder)}" in capsys.readouterr().out
    assert sum(endpoint.asked().values()) == COUNT - answers
    assert_complete(folder / "out", endpoint, COUNT, asked_again=0)


def keep_only_the_log(checkpoints: Path) -> None:
    shutil.rmtree(checkpoints / ".mcqa/results")
    for path in checkpoints.glob("*.json"):
        path.unlink()


def test_results_that_prefect_cannot_write_cost_nothing(folder: Path, endpoint: FakeEndpoint) -> None:
    """They are a copy: the run is complete, and so is the next one, which asks nothing."""
    config = write_config(folder, endpoint.url, parallel_workers=WORKERS, result_storage="./results")
    assert run_and_lose(config, endpoint, lambda: put_file(folder / "results")).is_completed()
    assert run(config).is_completed()
    assert_complete(folder / "out", endpoint, COUNT, asked_again=0)
