"""Prefect's server goes away, or fails, in the middle of a run: the scoring goes on, and the command ends soon."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fake_endpoint import FakeEndpoint, make_questions, right_count, write_config, write_questions
from tests.support.gate import Gate

COUNT = 120
MCQA = Path(sys.executable).with_name("mcqa")


@pytest.mark.parametrize("lose", [Gate.vanish, Gate.fail])
def test_a_lost_server_costs_no_score(
    folder: Path, endpoint: FakeEndpoint, prefect_server: str, lose: Callable[[Gate], None]
) -> None:
    """Every question is scored and the results are written: exit code 0, with a line that Prefect does not know of it."""
    write_questions(folder, make_questions(COUNT))
    write_config(folder, endpoint.url)
    endpoint.delay_seconds = 0.1
    with Gate(prefect_server) as gate:
        environment = {**os.environ, "FAKE_KEY": "sk-very-secret", "PREFECT_API_URL": gate.url}
        command = [str(MCQA), "score", "--config", "config.yaml"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=-1, stderr=-2, text=True)
        while len(endpoint.bodies) < 40:
            time.sleep(0.01)
        lose(gate)
        printed, _ = process.communicate(timeout=150)
    assert process.returncode == 0, printed
    assert f"({right_count(COUNT)} of {COUNT} questions)" in printed
    assert f"Prefect's server at {gate.url} was not told how the run ended" in printed
    assert "Traceback" not in printed
    assert len(list((folder / "out").glob("exam_fake_*.json"))) == 1
    assert sum(endpoint.asked().values()) == COUNT


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_the_server_of_a_run_is_given_no_key(folder: Path, endpoint: FakeEndpoint) -> None:
    """It asks no endpoint."""
    write_questions(folder, make_questions(COUNT))
    write_config(folder, endpoint.url)
    endpoint.delay_seconds = 0.1
    environment = {**os.environ, "FAKE_KEY": "sk-very-secret"}
    process = subprocess.Popen([str(MCQA), "score", "--config", "config.yaml"], cwd=folder, env=environment, stdout=-3)
    while not endpoint.bodies:
        time.sleep(0.01)
    [server] = [path for path in Path("/proc").glob("[0-9]*") if is_server_of(path, process.pid)]
    assert b"sk-very-secret" not in (server / "environ").read_bytes()
    assert process.wait(timeout=150) == 0


def is_server_of(process: Path, parent: int) -> bool:
    try:
        command, status = (process / "cmdline").read_bytes(), (process / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"flows.serving.server_process" in command and f"PPid:\t{parent}\n" in status
