"""Prefect's server goes away, or fails, in the middle of a run: the scoring goes on, and the command ends soon."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_endpoint import FakeEndpoint, make_questions, right_count, write_config, write_questions
from tests.gate import Gate

COUNT = 120
MCQA = Path(sys.executable).with_name("mcqa")


@pytest.mark.parametrize("lose", [Gate.vanish, Gate.fail])
def test_a_lost_server_costs_no_score(
    folder: Path, endpoint: FakeEndpoint, prefect_server: str, lose: Callable[[Gate], None]
) -> None:
    """Every question is scored and the results are written: exit code 0, and that Prefect does not know of it is said."""
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
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    assert f"({right_count(COUNT)} of {COUNT} questions)" in printed
    assert f"Prefect's server at {gate.url} was not told how the run ended" in printed
    assert "Traceback" not in printed
    assert len(list((folder / "out").glob("exam_fake_*.json"))) == 1
    assert sum(endpoint.asked().values()) == COUNT
