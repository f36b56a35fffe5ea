"""Paths in settings and flags are expanded, and what cannot be is a mistake: no folder named `~` comes into being."""

from pathlib import Path

import pytest

from flows.commands.cli import build_parser
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.paths import expand_path
from tasks.evaluation.errors import UserMistake

MODEL = {"generator_settings": {"model": "m"}}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home and a scratch folder of a cluster."""
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("SCRATCH", "/scratch/ann")


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~/runs", "/home/ann/runs"),
        ("${SCRATCH}/runs", "/scratch/ann/runs"),
        ("${HOME}/${SCRATCH}", "/home/ann//scratch/ann"),
        ("runs/~old", "runs/~old"),
        ("cost$5", "cost$5"),
        ("runs", "runs"),
    ],
)
def test_a_path_is_expanded(path: str, expanded: str) -> None:
    """As a shell would, where it stands without quotes."""
    assert expand_path(path) == expanded


@pytest.mark.parametrize("path", ["${MISSING}/runs", "$SCRATCH/runs", "${/runs", "~nobody-of-that-name/runs", "a\0b"])
def test_a_path_that_cannot_be_expanded_is_a_mistake(path: str) -> None:
    """It would come into being under that very name."""
    with pytest.raises(ValueError, match=r"expand|variable|user|path"):
        expand_path(path)


def test_every_path_of_the_settings_is_expanded() -> None:
    """Those that are read and those that are written."""
    config = Config.model_validate({
        "questions_file": "~/exam.json",
        "model": {**MODEL, "model_config_file": "${SCRATCH}/servers.yaml"},
        "processing": {"checkpoint_directory": "${SCRATCH}/checkpoints", "resume_from_checkpoint": "~/old.json"},
        "output": {"output_directory": "~/results", "output_prefix": "exam"},
    })  # fmt: skip
    assert config.questions_file == "/home/ann/exam.json"
    assert config.model.model_config_file == "/scratch/ann/servers.yaml"
    assert config.processing.checkpoint_directory == "/scratch/ann/checkpoints"
    assert config.processing.resume_from_checkpoint == "/home/ann/old.json"
    assert config.output.output_directory == "/home/ann/results"


def test_a_path_of_a_flag_is_expanded() -> None:
    """Behind an equals sign, the shell leaves it alone."""
    options = build_parser().parse_args(["score", "--checkpoint-dir=~/checkpoints", "--config=${SCRATCH}/c.yaml"])
    assert options.checkpoint_directory == "/home/ann/checkpoints"
    assert options.config == "/scratch/ann/c.yaml"


def test_an_unknown_variable_in_a_file_is_one_message(tmp_path: Path) -> None:
    """It names the variable and the setting."""
    path = tmp_path / "config.yaml"
    path.write_text(
        "questions_file: exam.json\nmodel: {generator_settings: {model: m}}\noutput: {output_directory: '${NOT_SET}/out'}\n"
    )
    with pytest.raises(UserMistake, match="NOT_SET"):
        load_config(str(path), Overrides())
