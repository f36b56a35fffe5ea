"""README.md tells the truth: every flag and setting is in it, and CI runs its test command."""

import argparse
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from flows.cli import build_parser
from tasks.evaluation.config import Config

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def score_flags() -> list[str]:
    [commands] = [action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)]
    actions = commands.choices["score"]._actions
    return [flag for action in actions for flag in action.option_strings if flag.startswith("--") and flag != "--help"]


@pytest.mark.parametrize("flag", score_flags())
def test_every_flag_is_documented(flag: str) -> None:
    """In the table of flags."""
    assert f"| `{flag}" in README


def documented_settings() -> dict[str, object]:
    block = README.split("## Settings")[1].split("```yaml\n")[1].split("```")[0]
    settings: dict[str, object] = yaml.safe_load(block)
    return settings


def test_the_documented_defaults_are_the_defaults() -> None:
    """The whole block of settings, as it stands, changes nothing but the two required names."""
    minimal = {"questions_file": "exam.json", "model": {"generator_settings": {"model": "my-model"}}}
    assert Config.model_validate(documented_settings()) == Config.model_validate(minimal)


@pytest.mark.parametrize("section", ["processing", "output"])
def test_every_setting_is_documented(section: str) -> None:
    """With its default."""
    model = Config.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    documented = documented_settings()[section]
    assert isinstance(documented, dict)
    assert set(documented) == set(model.model_fields)


def test_ci_runs_the_documented_test_command() -> None:
    """Word for word."""
    commands = README.split("## Test it")[1].split("```bash\n")[1].split("```")[0].strip().splitlines()
    ci = (ROOT / ".ci/run").read_text()
    assert commands[-1] == ".venv/bin/pytest"
    assert f"\n{commands[-1]}\n" in ci
