"""Commands that print keys: what can go wrong with them, where they may stand, and when they are not run."""

import argparse
import asyncio
import os
from pathlib import Path

import pytest
import yaml

from flows.commands.scoring import score
from flows.serving.deployments_file import read_own_deployments
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.printed_keys import PrintedKey, split_command
from tasks.evaluation.endpoints.described import find_generator
from tasks.evaluation.endpoints.endpoint import Endpoint, list_key_warnings
from tasks.evaluation.endpoints.key_commands import print_key
from tasks.evaluation.errors import UserMistake
from tests.support.evaluation import Evaluation
from tests.support.expiring_key import ExpiringKey
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_questions

COMMAND = "command: touch ran"


def run(command: str, timeout_seconds: float = 60) -> str:
    """Return the key that the command prints."""
    key = PrintedKey(split_command(command, "api_key"), "api_key")
    asyncio.run(print_key(key, timeout_seconds=timeout_seconds))
    return key.text


def find(environment: dict[str, str] | None = None, secret: str = "", **settings: object) -> Endpoint:
    """Return the generator of these settings."""
    generator = {"model": "m", "base_url": "http://h.example/v1", **settings}
    config = Config.model_validate({"questions_file": "q", "model": {"generator_settings": generator}})
    return find_generator(config, KeyReader(environment or {}, lambda _: secret))


def test_what_is_printed_is_the_key() -> None:
    """Without the line's end; words are split as a shell does, and no shell does anything else with them."""
    assert run("printf '%s\\n' 'a$HOME;b'") == "a$HOME;b"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program --for lab", r"^api_key: the command no-such-program cannot be run: no such program"),
        ("~/bin/get-token", r"~/bin/get-token cannot be run: .* \(it is run without a shell, which would replace ~"),
        ("sh -c 'echo one >&2; echo two >&2; exit 7'", r"the command sh failed with exit code 7: two$"),
        ("sh -c 'kill -9 $$'", r"the command sh failed with exit code 137$"),
        ("sh -c 'echo log in first >&2'", r"the command sh printed nothing: log in first$"),
        ("echo please log in", r"the command echo printed what cannot be a key: one word was expected, and nothing else$"),
        ("printf 'key-1\\nkey-2'", r"the command printf printed what cannot be a key"),
        ("printf 'k\\303\\244'", r"the command printf printed what cannot be a key"),
        ("head -c 20000 /dev/zero", r"the command head printed what cannot be a key"),
        ("sh -c 'echo key-12345; echo no key-12345 >&2; exit 1'", r"exit code 1: no \*\*\*$"),
        ("sh -c 'echo not eyJhbGciOiJIUzI1NiIsInR5cCI6 >&2; exit 1'", r"exit code 1: not \*\*\*$"),
        ("sh -c 'printf \"\\033[31mred\\n\" >&2; exit 1'", r"exit code 1: \[31mred$"),
    ],
)
def test_a_command_that_gives_no_key_is_a_mistake(command: str, message: str) -> None:
    """With the program's name, its exit code and its last words, but for what may be a key in them."""
    with pytest.raises(UserMistake, match=message):
        run(command)


def test_a_command_that_takes_too_long_is_ended() -> None:
    """The message says after which time."""
    with pytest.raises(UserMistake, match=r"^api_key: the command sleep was ended because it took longer than 0.5 s$"):
        run("sleep 600", timeout_seconds=0.5)


@pytest.mark.parametrize(("key", "message"), [("command:", "a program is missing"), ("command: get 'to", "cannot be read")])
def test_what_is_no_command_is_a_mistake_before_anything_is_run(key: str, message: str) -> None:
    """Also of a header."""
    with pytest.raises(UserMistake, match=rf"generator_settings.api_key: .*{message}"):
        find(api_key=key)
    with pytest.raises(UserMistake, match=rf"generator_settings.headers.X-Key: .*{message}"):
        find(headers={"X-Key": f"Bearer {key}"})


@pytest.mark.parametrize(
    ("written", "environment"),
    [
        ("${LAB_KEY}", {"LAB_KEY": COMMAND}),
        ("secret:lab", {}),
        (None, {"OPENAI_API_KEY": COMMAND, "OPENAI_BASE_URL": "http://h.example/v1"}),
    ],
)
def test_a_key_that_begins_like_a_command_is_a_key(written: str | None, environment: dict[str, str]) -> None:
    """What a variable or a block holds is never run: others than the settings' author may have put it there."""
    target = find(environment, COMMAND, api_key=written)
    assert target.api_key == COMMAND
    assert target.sources
    assert target.sources.list_printed() == []


def test_no_address_holds_a_command() -> None:
    """For an address may come from the environment."""
    with pytest.raises(UserMistake, match=r"base_url: the value of 'code' is a command, which no address can hold"):
        find(base_url="http://h.example/v1?code=command:touch ran")
    with pytest.raises(UserMistake, match=r"base_url: the value of 'code' is a command, which no address can hold"):
        find({"OPENAI_BASE_URL": "http://h.example/v1?code=command:touch%20ran"}, base_url=None)


@pytest.mark.parametrize("section", ["overrides", "advanced"])
def test_no_parameter_of_a_run_names_a_command(folder: Path, section: str) -> None:
    """Neither in a deployment, nor in the form, whose settings these are, nor as a flag."""
    parameters = {"config_file": "config.yaml", section: {"api_key": COMMAND}}
    described = {"deployments": [{"name": "nightly", "parameters": parameters}]}
    (folder / "deployments.yaml").write_text(yaml.safe_dump(described))
    with pytest.raises(UserMistake, match=rf"nightly: unknown key 'api_key' in parameters.{section}"):
        read_own_deployments(folder, [])
    with pytest.raises(UserMistake, match="api_key"):
        Overrides.read({"api_key": COMMAND})


def test_a_model_that_is_called_like_a_command_is_a_model(folder: Path) -> None:
    """Nothing that a flag gives becomes a key."""
    Path("config.yaml").write_text(
        yaml.safe_dump({"questions_file": "q", "model": {"generator_settings": {"model": "m", "api_key": "sk-1"}}})
    )
    settings = load_config("config.yaml", Overrides(model=COMMAND, grader=COMMAND)).model.generator_settings
    assert (settings.model, settings.api_key) == (COMMAND, "sk-1")


def test_an_entry_brings_its_command(folder: Path) -> None:
    """And how often it is to be run, for `--model`; those of the configured endpoint do not hold for another."""
    Path("config.yaml").write_text(
        yaml.safe_dump(
            {"questions_file": "q", "model": {"generator_settings": {"model": "m", "api_key": "sk-1", "refresh_seconds": 5}}}
        )
    )
    entry = {"shortname": "lab", "openai_api_base": "http://h.example/v1", "openai_model": "l", "openai_api_key": COMMAND}
    quick = {**entry, "shortname": "quick", "refresh_seconds": 3600}
    Path("model_servers.yaml").write_text(yaml.safe_dump({"servers": [entry, quick]}))
    lab = load_config("config.yaml", Overrides(model="lab")).model.generator_settings
    assert (lab.api_key, lab.refresh_seconds) == (COMMAND, None)
    assert load_config("config.yaml", Overrides(model="quick")).model.generator_settings.refresh_seconds == 3600


def test_an_unquoted_command_is_explained(folder: Path) -> None:
    """YAML takes its colon for a key's."""
    Path("config.yaml").write_text("questions_file: q\nmodel: {generator_settings: {model: m}}\napi_key: command: get-token\n")
    with pytest.raises(UserMistake, match=r"config.yaml, line 3, column 17: this is not YAML: a text with ': ' in it needs"):
        load_config("config.yaml", Overrides())


def test_a_command_is_shown_as_it_is_written() -> None:
    """It is no secret, in contrast to a password within it."""
    settings = {"api_key": "command: get --user me", "headers": {"X-Key": "Bearer command: get", "X-Other": "hidden"}}
    config = Config.model_validate(
        {"questions_file": "q", "model": {"generator_settings": {"model": "m", "extra": {}, **settings}}}
    )
    [shown] = [section["generator_settings"] for section in [config.for_files()["model"]] if isinstance(section, dict)]
    assert isinstance(shown, dict)
    assert shown["api_key"] == "command: get --user me"
    assert shown["headers"] == {"X-Key": "Bearer command: get", "X-Other": "***"}
    config.model.generator_settings.api_key = "command: curl https://me:password@h.example/token"
    assert "password" not in str(config.for_files())


def test_a_key_from_a_command_needs_encryption_too() -> None:
    """The warning does not wait for the key."""
    [warning] = list_key_warnings([find(api_key=COMMAND)], found_plain=False)
    assert "is sent to h.example without encryption" in warning


def test_a_dry_run_runs_no_command(folder: Path, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks nothing, and needs no key."""
    key = ExpiringKey(folder)
    write_questions(folder, make_questions(4))
    generator = {"model": "fake", "base_url": endpoint.url, "api_key": f"command: {key.script}"}
    Path("config.yaml").write_text(yaml.safe_dump({"questions_file": "exam.json", "model": {"generator_settings": generator}}))
    assert score(argparse.Namespace(config="config.yaml", dry_run=True), None) == os.EX_OK
    assert "To be asked: 4 of fake" in capsys.readouterr().out
    assert key.call_count == 0


def test_a_finished_evaluation_runs_no_command(evaluation: Evaluation, folder: Path) -> None:
    """Nor does another command change what is reused: how a key is had is no part of an answer."""
    key = ExpiringKey(folder)
    evaluation.endpoint.admits = key.admits
    generator = {"model.generator_settings.api_key": f"command: {key.script}"}
    evaluation.run(generator)
    assert key.call_count == 1
    with evaluation.open({"model.generator_settings.api_key": f"command: {key.script} --again"}, run_id="second") as run:
        run.check_endpoints()
        assert run.ledger.open_count == 0
    assert key.call_count == 1
