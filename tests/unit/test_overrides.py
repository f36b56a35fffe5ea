"""The run form's schema: what Prefect's UI shows, and what its server refuses."""

import pytest

from flows.commands.cli import build_parser
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.errors import UserMistake

FORM = Overrides.model_json_schema()["properties"]


@pytest.mark.parametrize("name", FORM)
def test_every_field_is_titled_and_says_what_empty_means(name: str) -> None:
    """And none asks for a type first, or has a default that would hide the file's value."""
    assert FORM[name]["title"]
    assert FORM[name]["description"].endswith(" Empty: as in the configuration file.")
    assert set(FORM[name]) <= {"title", "description", "type", "enum", "minimum", "maximum"}


def test_numbers_have_limits_and_claims_are_menus() -> None:
    """As the settings themselves have them."""
    assert (FORM["parallel_workers"]["minimum"], FORM["parallel_workers"]["maximum"]) == (1, 10_000)
    assert FORM["limit"]["minimum"] == FORM["random_selection"]["minimum"] == FORM["checkpoint_interval"]["minimum"] == 1
    assert FORM["auto_resume"]["enum"] == [True, False]


def test_the_form_asks_for_no_secret() -> None:
    """Parameters are stored and shown in clear."""
    assert [name for name in FORM if "key" in name or "secret" in name or "url" in name] == []


def test_every_flag_of_the_command_is_in_the_form() -> None:
    """A run from the UI can do what one from the shell can."""
    given = vars(build_parser().parse_args(["score", "exam.json", "--no-rag", "--verbose", "--limit", "3"]))
    assert set(given) - {"run"} <= set(FORM)


def test_an_emptied_field_is_empty() -> None:
    """The form sends a text that was removed as an empty one."""
    assert Overrides.read({"model": "", "limit": ""}) == Overrides()


@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("parallel_workers", 10_001), ("checkpoint_interval", 0)])
def test_a_value_beyond_its_limit_is_a_mistake(name: str, value: int) -> None:
    """The message names the setting and the value."""
    with pytest.raises(UserMistake, match=f"{name}: {value} cannot be used: input should be "):
        Overrides.read({name: value})
