"""One `mcqa serve` for all tests here: a real Prefect server and a real worker, deployed from deployments/prefect.yaml."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tasks.evaluation.processes.process_table import find_parents
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions
from tests.support.served import Served, find_descendants, find_free_port, is_alive, start_serve, wait_until

# Its schedule is off, so that no run of it is the latest.
OWN_DEPLOYMENTS = """
deployments:
- name: weekly
  description: Each Monday.
  parameters: {config_file: offered.yaml, overrides: {limit: 5, prompt: 'Say {{"a": 1}}. {question}'}, auto_resume: false}
  schedule: {cron: "0 3 * * 1", timezone: Europe/Berlin, active: false}
  tags: [mmlu]
- name: retired
  parameters: {config_file: offered.yaml}
"""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield the command in a folder with questions and a configuration, and end it by Ctrl-C, which leaves nothing behind."""
    folder, port = tmp_path_factory.mktemp("served"), find_free_port()
    # Shorter waits than Prefect's own, which are for installations with many workers.
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PREFECT_SERVER_ANALYTICS_ENABLED"},
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect-home")),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
        "FAKE_KEY": "sk-very-secret",
        "http_proxy": "http://127.0.0.1:9",  # which answers nobody
    }
    with FakeEndpoint() as endpoint:
        write_config(folder, endpoint.url, name="offered.yaml")
        write_questions(folder, make_questions(3), "offered.json")
        (folder / "deployments.yaml").write_text(OWN_DEPLOYMENTS)
        process, log = start_serve(folder, environment, "--port", str(port))
        yield Served(folder, f"http://127.0.0.1:{port}", endpoint, process, log, environment)
        started = find_descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=150) == 0
    assert len(started) >= 4
    assert [pid for pid in started if is_alive(pid)] == []


@dataclass(frozen=True)
class Abandoned:
    """A run that was killed together with its worker, and what lets its endpoint answer again."""

    run_id: str
    config: str
    release: threading.Event


@pytest.fixture(scope="session", autouse=True)
def abandoned(served: Served) -> Iterator[Abandoned]:
    """Kill a run and its worker before all tests, so that the time until this is noticed passes while they run."""
    config = served.write("abandoned", parallel_workers=8)
    release, held = served.hold_back("abandoned", after=40)
    run_id = served.start("nightly", config_file=config)
    wait_until(lambda: len(held) == 8)
    run = int(served.run(run_id)["infrastructure_pid"])
    worker = find_parents()[run]
    os.kill(worker, signal.SIGKILL)
    os.kill(run, signal.SIGKILL)
    yield Abandoned(run_id, config, release)
    release.set()


@pytest.fixture(scope="session", autouse=True)
def paused(served: Served, abandoned: Abandoned) -> str:
    """Return the id of a run that is paused for an hour; made before all tests, so that time passes while they run.

    It begins after the other one's worker was killed, which would end it too.
    """
    release, held = served.hold_back("paused", after=40)
    run_id = served.start(config_file=served.write("paused", parallel_workers=8))
    wait_until(lambda: len(held) == 8)
    served.pause(run_id, seconds=3600)
    release.set()
    return run_id
