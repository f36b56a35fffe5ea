"""A Prefect server that is named and not there is found before anything else is started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.evaluation.processes.child_process import find_free_port
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/api", "127.0.0.1:{port}", "http://no-such-host.invalid/api"])
def test_a_dead_server_is_a_mistake(folder: Path, endpoint: FakeEndpoint, address: str) -> None:
    """Exit code 2 and one message with the address and the way out; nothing is asked."""
    write_questions(folder, make_questions(4))
    write_config(folder, endpoint.url)
    url = address.format(port=find_free_port("127.0.0.1"))
    command = [str(Path(sys.executable).with_name("mcqa")), "score", "--config", "config.yaml"]
    environment = {**os.environ, "FAKE_KEY": "sk-very-secret", "PREFECT_API_URL": url}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"mcqa: error: no Prefect server can be used at {url} (")
    assert "unset PREFECT_API_URL" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert endpoint.bodies == []
