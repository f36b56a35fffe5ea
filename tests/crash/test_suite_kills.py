"""A suite that is killed or stopped: the same command asks nothing that was answered, and no cell is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fake_endpoint import FakeEndpoint, wait_until
from tests.support.suites import count_asked, write_suite

CELLS, COUNT, AT_ONCE = 4, 12, 3 * 4
MCQA = Path(sys.executable).with_name("mcqa")


def start(api_url: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "FAKE_KEY": "sk-very-secret", "PREFECT_API_URL": api_url}
    return subprocess.Popen(
        [MCQA, "suite", "suite.yaml"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_the_same_command_continues_all_cells(
    folder: Path, endpoint: FakeEndpoint, prefect_server: str, number: signal.Signals, code: int
) -> None:
    """After SIGKILL only what was in flight is asked again; after a signal that saves, nothing."""
    suite = folder / write_suite(folder, endpoint, COUNT)
    suite.write_text(suite.read_text().replace("exclude: []", "exclude: [{questions: bio}]"))
    endpoint.delay_seconds = 0.1
    process = start(prefect_server)
    wait_until(lambda: len(endpoint.bodies) >= COUNT)
    os.killpg(process.pid, number)
    printed, _ = process.communicate(timeout=150)
    assert process.returncode == code
    if number == signal.SIGINT:
        assert "cells finished. Run the same command again to continue" in printed
        assert "This cell alone: mcqa score --config 'suite.yaml#" in printed
    endpoint.delay_seconds = 0
    process = start(prefect_server)
    printed, _ = process.communicate(timeout=150)
    assert process.returncode == 0, printed
    assert "All 4 cells are finished" in printed
    asked = count_asked(endpoint)
    assert len(asked) == CELLS * COUNT
    assert asked.total() - len(asked) <= (AT_ONCE if number == signal.SIGKILL else 0)
    assert len(list((folder / "out").glob("exam_*.json"))) == CELLS
