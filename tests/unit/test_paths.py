"""Paths in settings and flags are expanded, and what cannot be is a mistake: no folder is ever called `~` or `${SCRATCH}`."""

from pathlib import Path

import pytest

from flows.commands.cli import build_parser
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.paths import expand_input, expand_path, expand_variables
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.weights import find_weights


@pytest.fixture(autouse=True)
def places(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a home and a scratch folder."""
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("SCRATCH", "/scratch/lab 1")
    monkeypatch.setenv("JOB", "42")
    monkeypatch.setenv("TILDE", "~/x")
    monkeypatch.setenv("EMPTY", "")


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~", "/home/ada"),
        ("~/runs", "/home/ada/runs"),
        ("~root/runs", "/root/runs"),
        ("${SCRATCH}/out", "/scratch/lab 1/out"),
        ("${SCRATCH}/${JOB}/out", "/scratch/lab 1/42/out"),
        ("runs-${JOB}", "runs-42"),
        ("~/${JOB}", "/home/ada/42"),
        ("${TILDE}", "/home/ada/x"),
        ("a/~/b", "a/~/b"),
        ("./~", "./~"),
        ("price$list", "price$list"),
        ("exam~", "exam~"),
        ("relative/path/", "relative/path/"),
    ],
)
def test_a_path_is_expanded(path: str, expanded: str) -> None:
    """A leading `~` and every `${NAME}`; nothing else is changed."""
    assert expand_path(path) == expanded


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("${NO_SUCH}/out", "NO_SUCH, which the environment does not set"),
        ("${EMPTY}/out", "EMPTY, which is empty"),
        ("${}/out", r"\$\{NAME\}"),
        ("${SCRATCH/out", r"\$\{NAME\}"),
        ("${SCRATCH:-/tmp}/out", r"\$\{NAME\}"),
        ("$SCRATCH/out", r"\$\{NAME\}"),
        ("~nosuchuser/out", "a user that is not known"),
        ("a\0b", "cannot be a path"),
    ],
)
def test_what_cannot_be_expanded_is_a_mistake(path: str, reason: str) -> None:
    """The message says what to write."""
    with pytest.raises(ValueError, match=reason):
        expand_path(path)


def load(**settings: object) -> Config:
    Path("config.yaml").write_text(
        str({"model": {"generator_settings": {"model": "m"}}, "questions_file": "q.json", **settings})
    )
    return load_config("config.yaml", Overrides())


def test_every_path_of_the_settings_is_expanded() -> None:
    """In whichever section it stands."""
    config = load(
        questions_file="~/exam.json",
        model={"generator_settings": {"model": "m"}, "model_config_file": "${SCRATCH}/servers.yaml"},
        processing={
            "checkpoint_directory": "~/checkpoints",
            "resume_from_checkpoint": "~/c.json",
            "result_storage": "${SCRATCH}/results",
        },
        output={"output_directory": "${SCRATCH}/out", "output_prefix": "run${JOB}"},
    )
    assert config.questions_file == "/home/ada/exam.json"
    assert config.model.model_config_file == "/scratch/lab 1/servers.yaml"
    assert config.processing.checkpoint_directory == "/home/ada/checkpoints"
    assert config.processing.resume_from_checkpoint == "/home/ada/c.json"
    assert config.processing.result_storage == "/scratch/lab 1/results"
    assert (config.output.output_directory, config.output.output_prefix) == ("/scratch/lab 1/out", "run42")


@pytest.mark.parametrize(
    "section", [{"processing": {"checkpoint_directory": "${NO_SUCH}/c"}}, {"output": {"output_directory": "${NO_SUCH}"}}]
)
def test_an_unknown_variable_is_a_mistake_of_its_setting(section: dict[str, object]) -> None:
    """Which the message names."""
    [(name, keys)] = section.items()
    assert isinstance(keys, dict)
    with pytest.raises(UserMistake, match=rf"config.yaml: {name}\.{next(iter(keys))}: .*NO_SUCH"):
        load(**section)


def test_a_run_s_own_paths_are_expanded() -> None:
    """Those of the form in Prefect's UI too, which no shell has seen."""
    load()
    overrides = Overrides(checkpoint_directory="~/c", questions_file="${SCRATCH}/q.json")
    config = load_config("config.yaml", overrides)
    assert config.processing.checkpoint_directory == "/home/ada/c"
    assert config.questions_file == "/scratch/lab 1/q.json"
    with pytest.raises(UserMistake, match=r"cannot read /home/ada/none\.yaml"):
        load_config("~/none.yaml", Overrides())
    with pytest.raises(UserMistake, match="NO_SUCH"):
        load_config("${NO_SUCH}/config.yaml", Overrides())


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["score", "--config=~/c"], "config"),
        (["score", "--checkpoint-dir=~/c"], "checkpoint_directory"),
        (["score", "--resume-from=~/c"], "resume_from_checkpoint"),
        (["score", "--model-config=~/c"], "model_config_file"),
        (["score", "~/c"], "questions_file"),
        (["questions", "check", "~/c"], "file"),
        (["questions", "check", "q.json", "--config=~/c"], "config"),
        (["checkpoints", "list", "--checkpoint-dir=~/c"], "checkpoint_dir"),
        (["checkpoints", "show", "~/c"], "file"),
        (["checkpoints", "validate", "c.json", "--config=~/c"], "config"),
    ],
)
def test_every_path_of_the_flags_is_expanded(command: list[str], name: str) -> None:
    """A shell expands neither `--flag=~/x` nor what stands in quotes."""
    assert vars(build_parser().parse_args(command))[name] == "/home/ada/c"


def test_a_flag_that_cannot_be_expanded_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the flag's name."""
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(["score", "--checkpoint-dir", "${NO_SUCH}/c"])
    assert "--checkpoint-dir: '${NO_SUCH}/c' names the variable NO_SUCH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["score", ""], "QUESTIONS_FILE"),
        (["score", "--config="], "--config"),
        (["score", "--model", ""], "--model"),
        (["score", "--grader", " "], "--grader"),
        (["score", "--prompt", ""], "--prompt"),
        (["score", "--shard", ""], "--shard"),
        (["score", "--resume-from", ""], "--resume-from"),
        (["suite", "s.yaml", "--fail-if-worse", ""], "--fail-if-worse"),
        (["compare", "a.json", "b.json", "--fail-if-worse="], "--fail-if-worse"),
    ],
)
def test_an_empty_value_is_a_mistake(command: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As of a job script's variable that is not set: something else would be asked, or nothing be checked."""
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(command)
    assert f"argument {name}: it is empty: give it a value, or leave it out" in capsys.readouterr().err


def test_a_file_of_the_installation_is_found_from_any_folder() -> None:
    """The quickstart is named as it is in the checkout; a file here comes first."""
    found = expand_input("deployments/quickstart/questions.json")
    assert Path(found).is_absolute()
    assert Path(found).is_file()
    assert expand_input("deployments/none.json") == "deployments/none.json"
    Path("deployments/quickstart").mkdir(parents=True)
    Path("deployments/quickstart/questions.json").write_text("[]")
    assert expand_input("deployments/quickstart/questions.json") == "deployments/quickstart/questions.json"


def test_the_path_of_weights_is_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a variable that is not there is a mistake."""
    monkeypatch.setenv("HOME", str(folder))
    (folder / "small.gguf").write_bytes(b"GGUF")
    assert find_weights("~/small.gguf") == folder / "small.gguf"
    with pytest.raises(UserMistake, match="NO_SUCH"):
        find_weights("${NO_SUCH}/small.gguf")


def test_a_variable_s_value_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not expanded in its turn."""
    monkeypatch.setenv("ODD", "${JOB}")
    assert expand_variables("${ODD}") == "${JOB}"
