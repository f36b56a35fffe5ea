"""Several servers of one model on one machine: started together, asked like several addresses, gone with the run."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.server_commands import find_commands
from tasks.evaluation.run.report import report
from tests.support.evaluation import Evaluation, assert_own_answers
from tests.support.fake_vllm import put_on_path, read_lives

pytestmark = pytest.mark.slow

SETTINGS = "model.generator_settings"
COUNT = 40
WORKERS = 4


def make_settings(servers: int, **settings: object) -> dict[str, Any]:
    """Return the settings of a run that starts this many servers."""
    given = {"boot_local": True, "server_startup_timeout": 30, "data_parallel_size": servers, **settings}
    return {f"{SETTINGS}.{name}": value for name, value in given.items()}


def count_answers(lives: Path) -> "Counter[str]":
    """Return how often each question was answered, by all servers together."""
    return sum((Counter(life.asked) for life in read_lives(lives)), Counter())


def test_each_gpu_has_a_server_that_gets_its_share(
    evaluation: Evaluation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own devices, port and log; all of them end with the run, and the report shows what each has done."""
    lives = put_on_path(folder, monkeypatch, "serve serve slow")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,2,3,5,6,7,8")
    changed = make_settings(3, vllm_args={"tensor_parallel_size": 2})
    with evaluation.open(changed, run_id="first") as run:
        run.check_endpoints()
        for batch in run.batches.list_open():
            run.score(batch)
        report(run, {})
        lines = [line for line in run.progress.lines if " requests, 0 failed, " in line]
    started = read_lives(lives)
    assert sorted(life.devices for life in started) == ["1,2", "3,5", "6,7"]
    assert min(len(life.asked) for life in started) > 0
    assert set(count_answers(lives).values()) == {1}
    ports = {life.command[life.command.index("--port") + 1] for life in started}
    assert {port for line in lines for port in ports if f":{port}/v1 (generator)" in line} == ports
    logs = [path.name for path in (folder / "checkpoints/.mcqa/logs").iterdir()]
    assert sorted(name[: len("vLLM_on_GPUs_1,2")] for name in logs) == [
        f"vLLM_on_GPUs_{pair}" for pair in ("1,2", "3,5", "6,7")
    ]
    assert all(life.is_over for life in started)


def test_the_number_of_servers_decides_no_answer(evaluation: Evaluation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What two have answered is not asked again where there is one."""
    lives = put_on_path(folder, monkeypatch, "serve serve serve")
    assert_own_answers(evaluation.run(make_settings(2)))
    assert_own_answers(evaluation.run(make_settings(1), run_id="second"))
    assert count_answers(lives).total() == COUNT


def test_a_server_that_dies_leaves_its_share_to_the_others(
    evaluation: Evaluation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every question is scored once, by its own answer."""
    lives = put_on_path(folder, monkeypatch, "serve die-after-5 never")
    assert_own_answers(evaluation.run(make_settings(2)))
    first, second = read_lives(lives)[:2]
    assert {first.devices, second.devices} == {"0", "1"}
    assert 0 < len(second.asked) <= 5
    assert COUNT <= count_answers(lives).total() < COUNT + WORKERS
    assert len(count_answers(lives)) == COUNT
    assert all(life.is_over for life in read_lives(lives))


def test_a_server_that_does_not_start_is_named_at_once(
    evaluation: Evaluation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the end of its log; the others end with it, though they are still loading, and nothing is asked."""
    lives = put_on_path(folder, monkeypatch, "never crash never")
    words = r"(?s)^vLLM on GPU (\d) has ended with code 1\. .*CUDA_VISIBLE_DEVICES.*vLLM_on_GPU_\1_.*CUDA out of memory"
    with pytest.raises(UserMistake, match=words) as caught:
        evaluation.run(make_settings(3))
    named = re.search(words, str(caught.value))
    assert named
    started = read_lives(lives)
    assert started[1].devices == named[1]
    assert all(life.is_over for life in started)


def test_the_ports_follow_the_one_that_is_set(evaluation: Evaluation, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as there are ports."""
    put_on_path(folder, monkeypatch)
    commands = find_commands(evaluation.configure(make_settings(3, auto_port=False, port=9000)))
    assert [(command.port, command.name) for command in commands] == [(9000 + n, f"vLLM on GPU {n}") for n in range(3)]
    with pytest.raises(UserMistake, match="3 servers take the ports from 65534 on"):
        find_commands(evaluation.configure(make_settings(3, auto_port=False, port=65534)))
