"""The run form's schema: what Prefect's UI shows, and what its server refuses."""

from pathlib import Path

import pytest
from prefect.utilities.schema_tools.validation import is_valid

from flows.commands.cli import build_parser
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.errors import UserMistake

FIRST, ADVANCED = Overrides.model_json_schema(), Advanced.model_json_schema()["properties"]
FORM = FIRST["properties"] | ADVANCED
CONFIG = """
questions_file: exam.json
model:
  generator_settings: {model: m, extra: {max_completion_tokens: 50, top_p: 0.9}}
prompt: {mc: default, system: Be brief.}
"""


def load(folder: Path, **changes: object) -> Config:
    (folder / "config.yaml").write_text(CONFIG)
    return load_config("config.yaml", Overrides.read(changes))


@pytest.mark.parametrize("name", FORM)
def test_every_field_is_titled_and_says_what_empty_means(name: str) -> None:
    """And none asks for a type first, or has a default that would hide the file's value."""
    assert FORM[name]["title"]
    assert FORM[name]["description"].endswith(" Empty: as in the configuration file.")
    assert set(FORM[name]) <= {"title", "description", "type", "enum", "minimum", "exclusiveMinimum", "maximum", "anyOf"}


def test_what_is_often_changed_comes_first() -> None:
    """And nothing else is shown in the form's first box."""
    assert list(FIRST["properties"]) == [
        "questions_file",
        "model",
        "grader",
        "limit",
        "temperature",
        "max_tokens",
        "prompt",
        "fail_under",
    ]


@pytest.mark.parametrize(
    "given", [{"auto_resume": False}, {"parallel_workers": 3, "limit": 5}, {"verbose": None}, {"junit": "x"}]
)
def test_the_first_box_still_accepts_what_schedules_hold(given: dict[str, object]) -> None:
    """Everything was in one box once."""
    assert is_valid(given, FIRST)


def test_the_second_box_accepts_what_a_shard_or_a_cell_is_told_of_the_whole() -> None:
    """Though nobody is asked for it, and nothing else is accepted unseen."""
    schema = Advanced.model_json_schema()
    assert not {"whole_run_id", "suite_purse"} & ADVANCED.keys()
    assert is_valid({"shard": "0/3", "whole_run_id": "a-run"}, schema)
    assert is_valid({"max_cost": 2.5, "suite_purse": "suite-x"}, schema)
    assert not is_valid({"whole_run": "a-run"}, schema)


@pytest.mark.parametrize("given", [{"lmit": 3}, {"parallel_workers": 0}, {"auto_resume": "no"}, {"xlimit": 1}])
def test_the_first_box_accepts_nothing_else(given: dict[str, object]) -> None:
    """A wrong name or value is refused before a run is made, also where it is not shown."""
    assert not is_valid(given, FIRST)


def test_the_second_box_holds_against_the_first() -> None:
    """It is what the form shows; what the first one holds unseen may be a deployment's."""
    combined = Overrides(limit=3, repeats=1).combine(Advanced(verbose=True, repeats=2))
    assert combined == Overrides(limit=3, verbose=True, repeats=2)


def test_what_makes_an_evaluation_recur_holds_against_everything_else() -> None:
    """Null leaves it to the other settings."""
    assert Overrides(limit=3, auto_resume=True).resume(auto_resume=False) == Overrides(limit=3, auto_resume=False)
    assert Overrides(auto_resume=True).resume(auto_resume=None) == Overrides(auto_resume=True)


def test_any_prompt_can_be_chosen() -> None:
    """One of the menu, or a text."""
    assert FORM["prompt"]["anyOf"] == [
        {"title": "Built in", "type": "string", "enum": ["default", "original", "label"]},
        {"title": "A text of your own", "type": "string"},
        {"title": "As configured", "type": "null"},
    ]


def test_what_is_asked_for_reaches_the_request(folder: Path) -> None:
    """Under the name by which the endpoint knows it."""
    settings = load(folder, temperature=0.7, max_tokens=20).model.generator_settings
    assert (settings.temperature, settings.max_tokens) == (0.7, 1024)
    assert settings.extra == {"max_completion_tokens": 20, "top_p": 0.9}


@pytest.mark.parametrize(
    ("prompt", "mc", "qa"),
    [
        ("original", "original", "original"),
        ("label", "label", None),
        ("Now: {question}", "Now: {question}", "Now: {question}"),
        ("{stem} {choices}", "{stem} {choices}", None),
    ],
)
def test_a_prompt_replaces_that_of_each_format_that_it_can_ask(folder: Path, prompt: str, mc: str, qa: str | None) -> None:
    """The system message stays."""
    chosen = load(folder, prompt=prompt).prompt
    assert (chosen.mc, chosen.qa, chosen.system) == (mc, qa, "Be brief.")


def test_a_prompt_that_asks_nothing_is_a_mistake(folder: Path) -> None:
    """As in the file."""
    with pytest.raises(UserMistake, match=r"'lable' has no \{question\}, so it asks nothing; built in are default, original"):
        load(folder, prompt="lable")


def test_numbers_have_limits_and_claims_are_menus() -> None:
    """As the settings themselves have them."""
    assert (FORM["parallel_workers"]["minimum"], FORM["parallel_workers"]["maximum"]) == (1, 10_000)
    assert FORM["limit"]["minimum"] == FORM["random_selection"]["minimum"] == FORM["checkpoint_interval"]["minimum"] == 1
    assert FORM["retry_refused"]["enum"] == [True, False]


def test_the_form_asks_for_no_secret() -> None:
    """Parameters are stored and shown in clear."""
    assert [name for name in FORM if "key" in name or "secret" in name or "url" in name] == []


def test_every_flag_of_the_command_is_in_the_form() -> None:
    """A run from the UI can do what one from the shell can; auto_resume is a parameter beside the two boxes."""
    given = vars(build_parser().parse_args(["score", "exam.json", "--no-rag", "--verbose", "--limit", "3"]))
    assert set(given) - {"run", "auto_resume"} <= set(FORM)


def test_an_emptied_field_is_empty() -> None:
    """The form sends a text that was removed as an empty one."""
    assert Overrides.read({"model": "", "limit": ""}) == Overrides()


@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("parallel_workers", 10_001), ("checkpoint_interval", 0)])
def test_a_value_beyond_its_limit_is_a_mistake(name: str, value: int) -> None:
    """The message names the setting and the value."""
    with pytest.raises(UserMistake, match=f"{name}: {value} cannot be used: input should be "):
        Overrides.read({name: value})
