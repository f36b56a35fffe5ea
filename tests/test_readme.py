"""README.md tells the truth: every flag and setting is in it, and CI runs its test command."""

import argparse
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.commands.cli import build_parser
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.fields import Fields

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def list_commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parser's own commands by their names; empty when it has none."""
    return {
        name: command
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, command in action.choices.items()
    }


def list_flags(parser: argparse.ArgumentParser) -> list[str]:
    flags = [flag for action in parser._actions for flag in action.option_strings]
    return [flag for flag in flags if flag.startswith("--") and flag != "--help"]


COMMANDS = list_commands(build_parser())
CHECKPOINT_COMMANDS = list_commands(COMMANDS["checkpoints"])


def score_flags() -> list[str]:
    return list_flags(COMMANDS["score"])


@pytest.mark.parametrize("flag", score_flags())
def test_every_flag_is_documented(flag: str) -> None:
    """In the table of flags."""
    assert f"| `{flag}" in README


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    """By its whole name."""
    assert f"`mcqa {name}" in README


@pytest.mark.parametrize("name", CHECKPOINT_COMMANDS)
def test_every_checkpoints_command_is_documented(name: str) -> None:
    """In the table of its section, with the flags that are its own; the common ones stand below."""
    section = README.split("## Checkpoints\n")[1].split("\n## ")[0]
    [row] = [line for line in section.splitlines() if line.startswith(f"| `mcqa checkpoints {name}")]
    assert "--json" in section
    own = set(list_flags(CHECKPOINT_COMMANDS[name])) - {"--checkpoint-dir", "--json"}
    assert all(flag in row for flag in own)


def documented_settings() -> dict[str, object]:
    block = README.split("## Settings")[1].split("```yaml\n")[1].split("```")[0]
    settings: dict[str, object] = yaml.safe_load(block)
    return settings


def test_every_setting_is_documented_with_its_default() -> None:
    """The block of settings is what the two required names alone come to; the keys of `fields` have a block of their own."""
    minimal = {"questions_file": "exam.json", "model": {"generator_settings": {"model": "my-model"}}}
    documented = documented_settings() | {"fields": Fields().model_dump()}
    assert documented == Config.model_validate(minimal).model_dump()


def test_every_key_of_the_fields_block_is_documented() -> None:
    """With its default."""
    block = README.split("## Question files")[1].split("```yaml\n")[1].split("```")[0]
    assert yaml.safe_load(block)["fields"] == Fields().model_dump()


def test_every_link_leads_to_a_heading() -> None:
    """The names are those that GitHub gives: in small letters, with dashes for spaces and without other signs."""
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    names = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= names


def read_commands(heading: str) -> list[str]:
    """The first block of commands under the heading."""
    return README.split(f"## {heading}\n")[1].split("```bash\n")[1].split("```")[0].strip().splitlines()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone in an empty home, with nothing of ours installed."""
    folder = tmp_path_factory.mktemp("home") / "mcqa-flow"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def start(clone: Path, command: str) -> "subprocess.Popen[str]":
    """A command of the README, as typed into a new shell in the clone."""
    kept = ("PATH", "LANG", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "SSL_CERT_FILE")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(clone.parent)}
    return subprocess.Popen(
        ["bash", "-c", command],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """All that is printed up to the line with these words."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    pytest.fail(f"{words!r} was not printed, but: {printed}")


@pytest.mark.timeout(1200)
def test_the_first_minute_is_as_it_is_told(clone: Path) -> None:
    """The commands as they stand: a real model answers; stopped in the middle and run again, it continues to the end."""
    *set_up, score = read_commands("The first minute")
    for command in set_up:
        installing = start(clone, command)
        printed, _ = installing.communicate()
        assert installing.returncode == 0, printed
    stopped = start(clone, score)
    read_until(stopped, "Processing questions")
    os.killpg(stopped.pid, signal.SIGINT)
    assert "run the same command again to continue" in stopped.communicate()[0]
    assert stopped.returncode == 130
    continued = start(clone, score)
    printed, _ = continued.communicate()
    assert continued.returncode == 0, printed
    assert "🔄 Resuming from checkpoint with " in printed
    [results] = (clone / "results").glob("quickstart_SmolLM2-135M-Instruct_*.json")
    assert [result["question_id"] for result in json.loads(results.read_text())["results"]] == list(range(1, 101))


def test_ci_runs_the_test_command() -> None:
    """Word for word."""
    assert "\nbash tests/run.sh\n" in (ROOT / ".ci/run").read_text()
