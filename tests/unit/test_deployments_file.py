"""deployments.yaml: what stands in it becomes deployments, and each mistake in it is one message before anything is started."""

from pathlib import Path

import pytest

from flows.score_questions import score_questions
from flows.serving.deployments_file import OwnDeployment, Parameters, read_own_deployments
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake
from tests.support.fake_endpoint import write_config

WEEKLY = """
deployments:
- name: weekly
  description: Each Monday.
  parameters:
    config_file: config.yaml
    overrides: {limit: 500, prompt: '{question} Reply with {{"a": 1}}'}
    auto_resume: false
    advanced: {}
  schedule: {cron: "0 3 * * 1", timezone: Europe/Berlin}
  tags: [mmlu]
- name: large ones
  parameters: {config_file: config.yaml, auto_resume: null}
"""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the key that the configuration names."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")


def read(folder: Path, text: str) -> list[OwnDeployment]:
    write_config(folder, "http://127.0.0.1:1/v1")
    (folder / "deployments.yaml").write_text(text)
    return read_own_deployments(folder, ["evaluate", "nightly"])


def test_deployments_are_read(folder: Path) -> None:
    """With everything that the file says, and defaults for the rest."""
    weekly, large = read(folder, WEEKLY)
    assert (weekly.name, weekly.description, weekly.tags) == ("weekly", "Each Monday.", ["mmlu"])
    assert weekly.schedule
    assert (weekly.schedule.cron, weekly.schedule.timezone, weekly.schedule.active) == ("0 3 * * 1", "Europe/Berlin", None)
    assert (large.description, large.schedule, large.tags) == ("", None, [])


def test_only_what_is_given_becomes_a_parameter(folder: Path) -> None:
    """So that everything else is left to the configuration file."""
    weekly, large = read(folder, WEEKLY)
    overrides = {"limit": 500, "prompt": '{question} Reply with {{"a": 1}}'}
    assert weekly.parameters.to_json() == {"config_file": "config.yaml", "overrides": overrides, "auto_resume": False}
    assert large.parameters.to_json() == {"config_file": "config.yaml"}


def test_the_documented_file_is_read(folder: Path) -> None:
    """As it stands in the README."""
    page = (Path(__file__).parents[2] / "deployments/README.md").read_text(encoding="utf-8")
    documented = page.split("## Deployments of your own\n")[1].split("```yaml\n")[1].split("```")[0]
    weekly, smoke_test = read(folder, documented)
    assert (weekly.name, weekly.parameters.auto_resume, smoke_test.schedule) == ("weekly", False, None)


def test_no_file_is_no_deployment(folder: Path) -> None:
    """The file is there for those who want more than ours."""
    assert read_own_deployments(folder, []) == []


def test_its_parameters_are_those_of_the_flow() -> None:
    """All of them, and no others."""
    assert set(Parameters.model_fields) == set(score_questions.parameters.properties)


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ("{name: a, paramters: {}}", "a: unknown key 'paramters': did you mean 'parameters'?"),
        ("{name: a, parameters: {config_flie: x}}", "a: unknown key 'config_flie' in parameters: did you mean 'config_file'?"),
        (
            "{name: a, parameters: {overrides: {lmit: 3}}}",
            "a: unknown key 'lmit' in parameters.overrides: did you mean 'limit'?",
        ),
        (
            "{name: a, parameters: {overrides: {limit: 0}}}",
            "a: parameters.overrides.limit: 0 cannot be used: input should be greater than or equal to 1",
        ),
        (
            "{name: a, parameters: {auto_resume: 'no'}}",
            "a: parameters.auto_resume: 'no' cannot be used: input should be a valid boolean",
        ),
        ("{name: a, parameters: {}}", "a: parameters.config_file is missing"),
        ("{name: a}", "a: parameters is missing"),
        ("{name: a, parameters: }", "a: parameters: settings were expected (`key: value` lines)"),
        ("{parameters: {config_file: config.yaml}}", "deployment 1: name is missing"),
        ("weekly", "deployment 1: the deployment: settings were expected (`key: value` lines)"),
        (
            "{name: a/b, parameters: {config_file: config.yaml}}",
            "a/b: name: 'a/b' cannot be used: a text without / % & < > was expected",
        ),
        (
            "{name: nightly, parameters: {config_file: config.yaml}}",
            "'nightly' is the name of a deployment that is there anyway: choose another name",
        ),
        (
            "{name: a, parameters: {config_file: config.yaml, overrides: {grader: none}}}",
            "a: the grader 'none' is not in model_servers.yaml (it holds: judge)",
        ),
    ],
)
def test_a_mistake_is_named(folder: Path, described: str, message: str) -> None:
    """With the deployment and the key."""
    with pytest.raises(UserMistake) as mistake:
        read(folder, f"deployments:\n- {described}\n")
    assert str(mistake.value).startswith(f"deployments.yaml: {message}")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("cron: 0 3 * * 9", "schedule.cron: '0 3 * * 9' cannot be used: invalid cron string"),
        ("cron: 0 3 * * 1 *", "schedule.cron: '0 3 * * 1 *' cannot be used: five fields are needed"),
        ("cron: 0 3 * * 1, timezone: Berlin", "schedule.timezone: 'Berlin' cannot be used: invalid timezone"),
        ("crn: 0 3 * * 1", "unknown key 'crn' in schedule: did you mean 'cron'?"),
        ("active: true", "schedule.cron is missing"),
        ("cron: 0 3 * * 1, active: maybe", "schedule.active: 'maybe' cannot be used: input should be a valid boolean"),
    ],
)
def test_a_schedule_that_would_not_fire_as_meant_is_refused(folder: Path, schedule: str, message: str) -> None:
    """A sixth field would be seconds to Prefect: sixty runs in one minute."""
    with pytest.raises(UserMistake) as mistake:
        read(folder, f"deployments:\n- name: a\n  parameters: {{config_file: config.yaml}}\n  schedule: {{{schedule}}}\n")
    assert str(mistake.value).startswith(f"deployments.yaml: a: {message}")


@pytest.mark.parametrize("text", ["deployments:\n", "deployments: []\nname: x\n", "deployment: []\n"])
def test_the_file_holds_a_list_under_one_key(folder: Path, text: str) -> None:
    """And says so if it does not."""
    with pytest.raises(
        UserMistake, match=r"^deployments.yaml: a list was expected under the key 'deployments', and no other key$"
    ):
        read(folder, text)


def test_two_of_a_name_are_refused(folder: Path) -> None:
    """The second would replace the first."""
    one = "- {name: a, parameters: {config_file: config.yaml}}\n"
    with pytest.raises(UserMistake, match="'a' is the name of two deployments"):
        read(folder, f"deployments:\n{one}{one}")


def test_a_file_that_is_called_almost_so_is_not_overlooked(folder: Path) -> None:
    """Its schedules would never begin."""
    (folder / "deployments.yml").write_text(WEEKLY)
    with pytest.raises(UserMistake, match=r"deployments.yml is not read: call the file deployments.yaml"):
        read_own_deployments(folder, [])


def test_a_key_that_runs_would_lack_is_missed_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs have the environment of the command."""
    monkeypatch.delenv("FAKE_KEY")
    with pytest.raises(UserMistake, match=r"^deployments.yaml: weekly: .*FAKE_KEY"):
        read(folder, WEEKLY)


def test_the_overrides_of_a_schedule_may_say_what_earlier_ones_did(folder: Path) -> None:
    """Where auto_resume once stood."""
    [deployment] = read(
        folder, "deployments:\n- {name: a, parameters: {config_file: config.yaml, overrides: {auto_resume: no}}}\n"
    )
    assert deployment.parameters.overrides == Overrides(auto_resume=False)
