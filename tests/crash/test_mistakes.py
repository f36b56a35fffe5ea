"""A user's mistake is one message and exit code 2, before anything is asked, and never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions


@pytest.fixture(autouse=True)
def files(folder: Path, endpoint: FakeEndpoint) -> None:
    """Write a configuration and questions without a fault."""
    write_questions(folder, make_questions(5))
    write_config(folder, endpoint.url)
    (folder / "no_list.json").write_text('{"questions": "q"}')
    (folder / "broken.yaml").write_text("questions_file: [\n")
    (folder / "file").write_text("")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mcqa")), *arguments]
    environment = {**os.environ, "FAKE_KEY": "sk-very-secret", "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150, check=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.yaml"], "cannot read none.yaml: No such file"),
        (["--config", "broken.yaml"], "broken.yaml, line 2, column 1: this is not YAML"),
        ([], "names no questions"),
        (["exam.json"], "no model is named"),
        (["none.json", "--config", "config.yaml"], "none.json: No such file"),
        (["no_list.json", "--config", "config.yaml"], "a list of objects was expected"),
        (["--config", "config.yaml", "--parallel", "0"], "parallel_workers: 0 cannot be used"),
        (["--config", "config.yaml", "--parallel", "many"], "invalid int value: 'many'"),
        (["--config", "config.yaml", "--grader", "nobody"], "it holds: judge"),
        (["--config", "config.yaml", "--checkpoint-dir", "file/checkpoints"], "cannot write in the checkpoint directory"),
        (["--config", "config.yaml", "--disable-checkpointing", "--save-incremental"], "save_incremental needs it"),
        (["--config", "config.yaml", "--paralel", "3"], "--paralel"),
        (["--config", "config.yaml"], "no Prefect server can be used at http://127.0.0.1:9/api"),
        (["--config", "config.yaml", "--checkpoint-dir", "${NOT_SET_HERE}/checkpoints"], "NOT_SET_HERE"),
    ],
)
def test_a_mistake_is_told_before_anything_is_asked(
    folder: Path, endpoint: FakeEndpoint, arguments: list[str], message: str
) -> None:
    """The message names what is wrong."""
    ended = run(folder, "score", *arguments)
    assert ended.returncode == 2, ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert endpoint.bodies == []


def test_a_dry_run_asks_nothing(folder: Path, endpoint: FakeEndpoint) -> None:
    """It says what a run would ask, and needs no Prefect server."""
    ended = run(folder, "score", "--config", "config.yaml", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert "To be asked: 5 of fake" in ended.stdout
    assert endpoint.bodies == []


def test_a_dry_run_leaves_the_folder_as_it_found_it(folder: Path) -> None:
    """Neither the checkpoint directory nor the one for the results is made."""
    before = sorted(folder.rglob("*"))
    assert run(folder, "score", "--config", "config.yaml", "--dry-run").returncode == 0
    assert sorted(folder.rglob("*")) == before


def test_a_dry_run_counts_what_is_known(folder: Path, endpoint: FakeEndpoint, prefect_server: str) -> None:
    """The three questions that were scored before."""
    command = [str(Path(sys.executable).with_name("mcqa")), "score", "--config", "config.yaml", "--limit", "3"]
    environment = {**os.environ, "FAKE_KEY": "sk-very-secret", "PREFECT_API_URL": prefect_server}
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=150, check=True)
    assert "Scores reused: 3" in run(folder, "score", "--config", "config.yaml", "--dry-run").stdout


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("processing: {checkpoint_directory: file/checkpoints}", "cannot write in the checkpoint directory file/checkpoints"),
        ("output: {output_directory: file/out}", "cannot write in the output directory file/out"),
    ],
)
def test_a_dry_run_says_what_a_run_could_not_make(folder: Path, setting: str, message: str) -> None:
    """As the run would."""
    config = (folder / "config.yaml").read_text().splitlines()
    section = setting.partition(":")[0]
    (folder / "config.yaml").write_text("\n".join([line for line in config if not line.startswith(section)] + [setting]))
    ended = run(folder, "score", "--config", "config.yaml", "--dry-run")
    assert ended.returncode == 2
    assert message in ended.stderr
