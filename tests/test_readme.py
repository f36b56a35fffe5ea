"""The five README files tell the truth: every flag and setting is in them, their links lead somewhere, their commands run."""

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
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "flows/README.md", "tasks/README.md", "deployments/README.md", "tests/README.md")
}
README, COMMANDS_PAGE, SETTINGS_PAGE = PAGES["README.md"], PAGES["flows/README.md"], PAGES["tasks/README.md"]
LONGEST_README = 250


def list_commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser's own commands by their names; empty when it has none."""
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


def read_section(page: str, heading: str) -> str:
    """Return what stands under the heading, up to the next one of its kind."""
    return page.split(f"## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def read_block(section: str, language: str) -> str:
    """Return the section's first block in the language."""
    return section.split(f"```{language}\n")[1].split("```", maxsplit=1)[0]


def test_the_readme_is_short() -> None:
    """The reference stands beside what it describes."""
    assert len(README.splitlines()) <= LONGEST_README


@pytest.mark.parametrize("flag", list_flags(COMMANDS["score"]))
def test_every_flag_is_documented(flag: str) -> None:
    """In the table of flags."""
    assert f"| `{flag}" in COMMANDS_PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    """By its whole name."""
    assert f"`mcqa {name}" in COMMANDS_PAGE


@pytest.mark.parametrize("name", CHECKPOINT_COMMANDS)
def test_every_checkpoints_command_is_documented(name: str) -> None:
    """In the table of its section, with the flags that are its own; the common ones stand below."""
    section = read_section(COMMANDS_PAGE, "mcqa checkpoints")
    [row] = [line for line in section.splitlines() if line.startswith(f"| `mcqa checkpoints {name}")]
    assert "--json" in section
    own = set(list_flags(CHECKPOINT_COMMANDS[name])) - {"--checkpoint-dir", "--json"}
    assert all(flag in row for flag in own)


@pytest.mark.parametrize("flag", list_flags(COMMANDS["compare"]))
def test_every_flag_of_compare_is_documented(flag: str) -> None:
    """In the table of its section."""
    assert re.search(rf"^\| .*`[^`]*{flag}[ `].*\|", read_section(COMMANDS_PAGE, "mcqa compare"), re.MULTILINE)


@pytest.mark.parametrize("flag", list_flags(COMMANDS["serve"]))
def test_every_flag_of_serve_is_documented(flag: str) -> None:
    """In the table of its section."""
    assert f"| `{flag}" in read_section(COMMANDS_PAGE, "mcqa serve")


def test_every_setting_is_documented_with_its_default() -> None:
    """The block of settings is what the two required names alone come to; the keys of `fields` have a block of their own."""
    minimal = {"questions_file": "exam.json", "model": {"generator_settings": {"model": "my-model"}}}
    documented = yaml.safe_load(read_block(read_section(SETTINGS_PAGE, "Settings"), "yaml"))
    assert documented | {"fields": Fields().model_dump()} == Config.model_validate(minimal).model_dump()


def test_every_key_of_the_fields_block_is_documented() -> None:
    """With its default."""
    block = read_block(read_section(SETTINGS_PAGE, "Question files"), "yaml")
    assert yaml.safe_load(block)["fields"] == Fields().model_dump()


def name_headings(page: str) -> set[str]:
    """Return the anchors that GitHub makes: in small letters, with dashes for spaces and without other signs."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def list_links() -> list[tuple[str, str]]:
    """Return every link within the project, with the page that it stands on."""
    links = [(page, link) for page, text in PAGES.items() for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    return [(page, link) for page, link in links if not link.startswith("https://")]


@pytest.mark.parametrize(("page", "link"), list_links())
def test_every_link_leads_to_a_file_and_a_heading(page: str, link: str) -> None:
    """So that nobody is sent to what is not there."""
    path, _, heading = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    assert not heading or heading in name_headings(target.read_text(encoding="utf-8"))


def list_named_tests() -> list[str]:
    """Return every test, test file or folder of tests that a page names as a proof."""
    named = re.findall(r"`((?:tests/)?[\w/]*test_\w+(?:\.py)?)`", "".join(PAGES.values()))
    return sorted(set(named))


@pytest.mark.parametrize("name", list_named_tests())
def test_every_test_that_is_named_is_there(name: str) -> None:
    """A promise without a test is no promise."""
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    assert any(name in path or f"def {name}(" in source for path, source in sources.items())


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh clone in an empty home, with nothing of ours installed."""
    folder = tmp_path_factory.mktemp("home") / "mcqa-flow"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def start(clone: Path, command: str) -> "subprocess.Popen[str]":
    """Start a command of the README, as typed into a new shell in the clone."""
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
    """Return all that is printed up to the line with these words."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if words in line:
            return printed
    pytest.fail(f"{words!r} was not printed, but: {printed}")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_first_minute_is_as_described(clone: Path) -> None:
    """The one command as it stands: a real model answers; stopped in the middle and run again, it continues to the end."""
    [command] = read_block(read_section(README, "The first minute"), "bash").strip().splitlines()
    stopped = start(clone, command)
    read_until(stopped, "Processing questions")
    os.killpg(stopped.pid, signal.SIGINT)
    assert "run the same command again to continue" in stopped.communicate()[0]
    assert stopped.returncode == 130
    continued = start(clone, command)
    printed, _ = continued.communicate()
    assert continued.returncode == 0, printed
    assert "🔄 Resuming from checkpoint with " in printed
    [results] = (clone / "results").glob("quickstart_SmolLM2-135M-Instruct_*.json")
    assert [result["question_id"] for result in json.loads(results.read_text())["results"]] == list(range(1, 101))


def test_ci_runs_the_documented_test_command() -> None:
    """Word for word."""
    [command] = read_block(read_section(README, "Test it"), "bash").strip().splitlines()
    assert f"\n{command}\n" in (ROOT / ".ci/run").read_text()
