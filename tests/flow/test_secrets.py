"""No key is left anywhere: real runs with recognisable keys, and a search of everything that they leave behind.

The searches look for each key's beginning and its end, also as URLs and base64 write them, so that a key cut in two is found.
"""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.exam import read_database, run
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    completion,
    error,
    is_grader,
    make_questions,
    prompt_of,
    write_questions,
)

pytestmark = pytest.mark.slow

KEYS = {
    "generator": "Gen+kQ7vXw2/Zr9Lm4Tn8Bc1&Yd5Hf3=Jg6",
    "grader": "Gra+pW3sEu8/Nx5Ck1Va7Mq2&Ri9Ot4=Bz0",
    "address": "AdrHy6tGv3mJx9wPq2nKs5rLd8cFb1",
    "extra": "ExtUz4yKb7nRw1xSm6vTq3pCj9hDg2",
    "header": "HdrZe5uMc8pTw2ySn7vXr4qDk1jFh3",
    "plain header": "PhdLo2iNb6sQt9xUv4wYk7mEa5rCg8",
}
# What the user has written down, and what has read it from there.
OWN_FILES = ("config.yaml", "model_servers.yaml")


def encode(key: str) -> str:
    return base64.b64encode(f"user:{key}".encode()).decode()


NEEDLES = {
    part.encode()
    for key in KEYS.values()
    for form in (key, quote(key, safe=""), encode(key)[8:-4])
    for part in (form[:12], form[-12:])
}


@pytest.fixture(autouse=True)
def surroundings(prefect_server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a server whose Secret block holds the generator's key, the others in the environment, and questions."""
    from prefect.blocks.system import Secret

    Secret(value=KEYS["generator"]).save("lab-key", overwrite=True)
    monkeypatch.setenv("ADDRESS_KEY", KEYS["address"])
    monkeypatch.setenv("GRADER_KEY", KEYS["grader"])
    monkeypatch.setenv("HEADER_KEY", KEYS["header"])
    write_questions(folder, make_questions(12))


def write_settings(folder: Path, endpoint: FakeEndpoint, generator: str = "secret:lab-key", **model: object) -> None:
    """Write a configuration with a key in each place that can have one, and the grader's in clear, as old files have it."""
    settings = {
        "model": "fake",
        "base_url": f"{endpoint.url}?code=${{ADDRESS_KEY}}",
        "api_key": generator,
        "extra": {"user_token": KEYS["extra"]},
        "headers": {"X-Lab-Access": "Bearer ${HEADER_KEY}", "X-Group": KEYS["plain header"]},
    }
    config = {
        "questions_file": "exam.json",
        "model": {"generator_settings": settings, "grader_shortname": "judge", **model},
        "processing": {"parallel_workers": 1, "max_outage_seconds": 0, "verbose": True},
        "output": {"output_directory": "out", "output_prefix": "exam", "save_incorrect": True},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    servers = [{"shortname": "judge", "openai_api_base": endpoint.url, "openai_model": "j", "openai_api_key": KEYS["grader"]}]
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": servers}))


def assert_nothing_is_left(folder: Path, printed: str, known: str) -> None:
    """Check that no piece of a key is in any file, line or row, and that what is known to be in them is found there."""
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in OWN_FILES}
    places = {**files, "printed": printed.encode(), "database": read_database()}
    assert [(name, needle) for name, content in places.items() for needle in NEEDLES if needle in content] == []
    assert [name for name in ("printed", "database") if known.encode() not in places[name]] == []


def repeat_keys(body: dict[str, Any]) -> Reply:
    """Repeat each key that was sent, in whatever is answered."""
    role = "grader" if is_grader(body) else "generator"
    key, others = (
        KEYS[role],
        {"grader": "", "generator": " ".join(KEYS[name] for name in ("address", "extra", "header", "plain header"))},
    )
    told = f"{key} {quote(key, safe='')} {encode(key)} {others[role]}"
    if is_grader(body):
        if "Question 1:" in prompt_of(body):
            return error(400, f"Bearer {told}")
        return completion(f"no verdict for {told}") if "Question 2:" in prompt_of(body) else answer_by_rule(body)
    replies: dict[str, Callable[[], Reply]] = {
        "Question 3:": lambda: error(400, told),
        "Question 4:": lambda: error(422, "x" * (300 - len(key) // 2) + told),
        "Question 5:": lambda: Reply(f"<html>{told}</html>".encode(), 413, {"Content-Type": "text/html"}),
        "Question 6:": lambda: completion(f"The answer is C. {told}", reasoning_content=told),
        "Question 7:": lambda: completion("", refusal="x" * 150 + told),
    }
    return next((reply() for start, reply in replies.items() if start in prompt_of(body)), answer_by_rule(body))


def find_command_lines() -> Iterator[bytes]:
    """Yield the command lines of all processes on this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


def test_a_run_leaves_no_key(folder: Path, endpoint: FakeEndpoint, capfd: pytest.CaptureFixture[str]) -> None:
    """Though the endpoint repeats all keys in refusals, answers, thoughts and verdicts, encoded and at the cut of its words."""
    endpoint.rule = repeat_keys
    write_settings(folder, endpoint)
    state = run()
    assert state.is_completed(), state.message
    assert endpoint.keys == {f"Bearer {KEYS['generator']}", f"Bearer {KEYS['grader']}"}
    assert {body.get("user_token") for body in endpoint.bodies} == {KEYS["extra"], None}
    [results] = (folder / "out").glob("exam_fake_*.json")
    assert results.read_text().count("***") >= 10
    assert_nothing_is_left(folder, "".join(capfd.readouterr()), known="stands in clear")


@pytest.mark.parametrize(("role", "status"), [("generator", 401), ("generator", 400), ("grader", 401)])
def test_a_failing_run_leaves_no_key(
    folder: Path, endpoint: FakeEndpoint, capfd: pytest.CaptureFixture[str], role: str, status: int
) -> None:
    """A wrong key that the server repeats in its error, and wrong settings."""
    told = f"wrong: {KEYS[role]} {quote(KEYS[role], safe='')} {encode(KEYS[role])} at http://me:{KEYS['address']}@h/v1"
    failure = error(status, told, **{"x-should-retry": "false"})
    endpoint.rule = lambda body: failure if is_grader(body) == (role == "grader") else answer_by_rule(body)
    write_settings(folder, endpoint)
    state = run()
    assert state.is_failed()
    print(state.message)
    assert_nothing_is_left(folder, "".join(capfd.readouterr()), known="wrong: *** *** ")


def test_a_mistake_beside_a_key_leaves_no_key(folder: Path, endpoint: FakeEndpoint, capfd: pytest.CaptureFixture[str]) -> None:
    """A key in the place of a section; the run's state and its traceback are Prefect's to keep."""
    write_settings(folder, endpoint, rag=f"api_key: {KEYS['generator']}")
    state = run()
    print(state.message)
    assert state.is_failed()
    assert_nothing_is_left(folder, "".join(capfd.readouterr()), known="unknown key 'rag' in model")


def test_a_stopped_command_leaves_no_key(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """Neither does the list of processes hold one while it runs, nor what it prints until it is stopped."""
    write_settings(folder, endpoint, generator=KEYS["generator"])
    command = subprocess.Popen(
        [str(Path(sys.executable).with_name("mcqa")), "score", "--config", "config.yaml", "--verbose"],
        env={**os.environ, "PREFECT_API_URL": prefect_server},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seen: list[bytes] = []

    def stop_in_the_middle(body: dict[str, Any]) -> Reply:
        if prompt_of(body).startswith("Question 6:"):
            seen.extend(find_command_lines())
            command.send_signal(signal.SIGINT)
        return repeat_keys(body)

    endpoint.rule = stop_in_the_middle
    printed, _ = command.communicate(timeout=120)
    assert command.returncode == 130, printed

    assert any(b"--verbose" in line for line in seen)
    assert [line for line in seen for needle in NEEDLES if needle in line] == []
    assert_nothing_is_left(folder, printed, known="Stopping on SIGINT")
