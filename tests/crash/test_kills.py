"""The real command, really killed: nothing that arrived is lost, and nothing but what was in flight is paid twice."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.processes.process_table import find_parents
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    make_questions,
    prompt_of,
    right_count,
    write_config,
    write_questions,
)

COUNT = 240
WORKERS = 16
MCQA = Path(sys.executable).with_name("mcqa")


@pytest.fixture(autouse=True)
def questions(folder: Path, endpoint: FakeEndpoint) -> None:
    """Write a file of questions, and let the endpoint be slow enough for kills."""
    write_questions(folder, make_questions(COUNT))
    endpoint.delay_seconds = 0.05


def start(
    folder: Path, *flags: str, api_url: str | None = None, file_kilobytes: int | None = None, before: str = ""
) -> "subprocess.Popen[str]":
    """Start the command in a process group of its own, on the given Prefect server or none; no file may grow larger.

    `before` is the command that it is started by. The environment names a proxy that answers nobody.
    """
    limit = f"ulimit -f {file_kilobytes}; " if file_kilobytes else ""
    environment = {**os.environ, "FAKE_KEY": "sk-very-secret", "PREFECT_HOME": os.environ["PREFECT_HOME"]}
    environment |= {"http_proxy": "http://127.0.0.1:9", "no_proxy": "intranet.example"}
    if api_url:
        environment["PREFECT_API_URL"] = api_url
    return subprocess.Popen(
        ["bash", "-c", f'{limit}exec {before} "$@"', "-", str(MCQA), "score", "--config", "config.yaml", *flags],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code and all that was printed."""
    printed, _ = process.communicate(timeout=120)
    return process.returncode, printed


def wait_until(holds: Callable[[], bool], timeout_seconds: float = 90) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + timeout_seconds
    while not holds():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        time.sleep(0.01)


def completed_count(folder: Path) -> int:
    return int(json.loads((folder / "checkpoints/latest.json").read_text())["completed_count"])


def read_final(folder: Path) -> list[dict[str, Any]]:
    [path] = (folder / "out").glob("exam_fake_*.json")
    results: list[dict[str, Any]] = json.loads(path.read_text())["results"]
    return results


def assert_complete(folder: Path, endpoint: FakeEndpoint, kills: int) -> None:
    """Check that each question is in the result once with its known score, and at most what was in flight was paid twice."""
    results = read_final(folder)
    assert [result["question_id"] for result in results] == list(range(1, COUNT + 1))
    assert sum(result["score"] for result in results) == right_count(COUNT)
    for is_grader in (False, True):
        assert sum(endpoint.asked(grader=is_grader).values()) - COUNT <= kills * WORKERS


def test_four_kills_lose_nothing(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """SIGKILL of the whole group in the middle of a run with a grader, four times; the checkpoint never goes back."""
    write_config(folder, endpoint.url, grader=True, parallel_workers=WORKERS, checkpoint_interval=10)
    counts = [0]
    for answers in (30, 70, 120, 190):
        process = start(folder, api_url=prefect_server)
        wait_until(lambda: len(endpoint.asked()) >= answers)  # noqa: B023 - called within the loop
        os.killpg(process.pid, signal.SIGKILL)
        assert finish(process)[0] == -signal.SIGKILL
        counts.append(completed_count(folder))
    assert counts == sorted(counts)
    code, printed = finish(start(folder, api_url=prefect_server))
    assert code == 0
    assert "📋 Resuming: Skipping " in printed
    assert_complete(folder, endpoint, kills=4)


def test_kills_between_the_repeats_of_a_question_lose_nothing(
    folder: Path, endpoint: FakeEndpoint, prefect_server: str
) -> None:
    """Whatever repeats have arrived are not asked again, though their questions were unfinished."""
    write_questions(folder, make_questions(60))
    write_config(folder, endpoint.url, grader=True, parallel_workers=WORKERS, checkpoint_interval=10, repeats=4)
    requests_before = itertools.count()

    def hold_one(body: dict[str, Any]) -> Reply:
        if next(requests_before) == 20:
            time.sleep(60)
        return answer_by_rule(body)

    endpoint.rule = hold_one  # so that one question is unfinished at the first kill, with its other repeats known
    outputs = []
    for requests in (70, 250):
        process = start(folder, api_url=prefect_server)
        wait_until(lambda: len(endpoint.bodies) >= requests)  # noqa: B023 - called within the loop
        os.killpg(process.pid, signal.SIGKILL)
        code, printed = finish(process)
        assert code == -signal.SIGKILL
        outputs.append(printed)
    assert "some of the 4 repeats are known" in outputs[1]
    assert finish(start(folder, api_url=prefect_server))[0] == 0
    results = read_final(folder)
    assert [len(result["repeats"]) for result in results] == [4] * 60
    assert sum(result["score"] for result in results) == right_count(60)
    assert 0 <= len(endpoint.bodies) - 2 * 4 * 60 <= 2 * WORKERS


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_saves_and_says_how_to_continue(
    folder: Path, endpoint: FakeEndpoint, prefect_server: str, number: signal.Signals, code: int
) -> None:
    """What was in flight arrives, all of it is saved, and the same command asks nothing twice."""
    write_config(folder, endpoint.url, grader=True, parallel_workers=WORKERS)
    process = start(folder, api_url=prefect_server)
    wait_until(lambda: len(endpoint.asked()) >= 60)
    os.killpg(process.pid, number)
    stopped, printed = finish(process)
    assert stopped == code
    assert "run the same command again to continue" in printed
    assert "Traceback" not in printed
    assert completed_count(folder) >= 40
    assert finish(start(folder, api_url=prefect_server))[0] == 0
    assert_complete(folder, endpoint, kills=0)


def test_nohup_outlives_the_terminal(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """A signal that the command is started to ignore does not end it: every question is asked, in the one run."""
    write_config(folder, endpoint.url, parallel_workers=WORKERS)
    process = start(folder, api_url=prefect_server, before="nohup")
    wait_until(lambda: len(endpoint.asked()) >= 60)
    os.killpg(process.pid, signal.SIGHUP)
    code, printed = finish(process)
    assert code == 0, printed
    assert_complete(folder, endpoint, kills=0)


def test_a_second_signal_stops_at_once(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """Without waiting for what is in flight; the log holds what has arrived."""
    write_config(folder, endpoint.url, parallel_workers=WORKERS)
    process = start(folder, api_url=prefect_server)
    wait_until(lambda: len(endpoint.asked()) >= 60)
    endpoint.delay_seconds = 60
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=150) == 130
    process.communicate()
    endpoint.delay_seconds = 0
    assert finish(start(folder, api_url=prefect_server))[0] == 0
    assert len(read_final(folder)) == COUNT
    assert sum(endpoint.asked().values()) <= COUNT + WORKERS


def test_a_full_disk_stops_the_run_and_loses_nothing(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """Files that can grow no further, as on a full disk: exit code 1 and what to do; after that nothing is paid for twice."""
    write_config(folder, endpoint.url, grader=True, parallel_workers=WORKERS, checkpoint_interval=10)
    code, printed = finish(start(folder, api_url=prefect_server, file_kilobytes=60))
    assert code == 1
    assert "make room" in printed
    assert "Traceback" not in printed
    assert len(endpoint.asked()) < COUNT
    assert finish(start(folder, api_url=prefect_server))[0] == 0
    assert_complete(folder, endpoint, kills=1)


def test_the_same_evaluation_runs_once_at_a_time(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """A second run of it is refused by name; a run of other settings in the same directory is not."""
    write_config(folder, endpoint.url, parallel_workers=4)
    release = hold_back(endpoint, first_held=20)
    first = start(folder, api_url=prefect_server)
    wait_until(lambda: len(endpoint.bodies) >= 1)
    refused, message = finish(start(folder, api_url=prefect_server))
    other, _ = finish(start(folder, "--limit", "10", api_url=prefect_server))
    assert (refused, other) == (2, 0)
    release.set()
    assert re.search(rf"already running in checkpoints, as run 'exam fake [0-9 :-]+' \(process {first.pid} on ", message)
    assert re.search(r"wait for it, or stop it: http://\S+/runs/flow-run/\S+$", message)
    assert finish(first)[0] == 0


def test_no_server_is_needed_and_none_is_left(folder: Path, endpoint: FakeEndpoint) -> None:
    """The run's own Prefect server ends with it, after a good end and after SIGKILL."""
    endpoint.delay_seconds = 0
    write_config(folder, endpoint.url)
    code, printed = finish(start(folder))
    assert code == 0, printed
    assert len(read_final(folder)) == COUNT
    release = hold_back(endpoint, first_held=20)
    process = start(folder, "--no-auto-resume")
    wait_until(lambda: len(endpoint.bodies) > COUNT)
    [server] = find_servers(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    release.set()
    finish(process)
    wait_until(lambda: not Path(f"/proc/{server}").exists(), timeout_seconds=10)


def hold_back(endpoint: FakeEndpoint, first_held: int) -> threading.Event:
    """Let the endpoint answer no question from this number on, until the event is set."""
    release = threading.Event()

    def rule(body: dict[str, Any]) -> Reply:
        number = re.search(r"Question (\d+)", prompt_of(body))
        assert number
        if int(number[1]) >= first_held:
            release.wait()
        return answer_by_rule(body)

    endpoint.rule = rule
    return release


def find_servers(parent: int) -> list[int]:
    """Return the processes that serve the own Prefect server of the run with this process id."""
    children = [pid for pid, ppid in find_parents().items() if ppid == parent]
    return [pid for pid in children if b"flows.serving.server_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]
