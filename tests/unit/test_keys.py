"""Keys are read where they are kept, go where they belong, and what is missing is named."""

import os

import pytest

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.errors import UserMistake


def test_keys_are_read_where_they_are_kept() -> None:
    """From the environment or a Secret block; a plain one is noticed."""
    keys = KeyReader({"NAME": "from-environment"}, lambda name: f"from-block-{name}")
    assert keys.read("${NAME}", "api_key", "http://h/v1") == "from-environment"
    assert keys.read("secret:argo", "api_key", "http://h/v1") == "from-block-argo"
    assert not keys.found_plain
    assert keys.read("sk-1", "api_key", "http://h/v1") == "sk-1"
    assert keys.found_plain


def test_a_missing_variable_is_named() -> None:
    """With the setting that wants it."""
    with pytest.raises(UserMistake, match=r"model.api_key is \$\{NAME\}.*no variable NAME"):
        KeyReader({}, os.path.basename).read("${NAME}", "model.api_key", None)


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_called_empty(value: str) -> None:
    """It is set, and exporting it once more would not help."""
    with pytest.raises(UserMistake, match=r"headers.X-Org is \$\{NAME\}, and the environment's variable NAME is empty"):
        KeyReader({"NAME": value}, os.path.basename).read_headers({"X-Org": "${NAME}"}, "headers")


def test_a_missing_secret_block_is_named_with_its_header() -> None:
    """A header is no key."""

    def refuse(_: str) -> str:
        raise UserMistake("Prefect has no Secret block of that name")

    with pytest.raises(UserMistake, match=r"headers.X-Org is secret:nope, and Prefect has no Secret block"):
        KeyReader({}, refuse).read_headers({"X-Org": "Bearer secret:nope"}, "headers")


@pytest.mark.parametrize(
    ("base_url", "key"),
    [(None, "none"), ("https://api.openai.com/v1", "sk-openai"), ("http://lab.example/v1", "none")],
)
def test_the_openai_key_goes_to_openai_alone(base_url: str | None, key: str) -> None:
    """An endpoint without a key of its own must not see another's."""
    assert KeyReader({"OPENAI_API_KEY": "sk-openai"}, os.path.basename).read(None, "api_key", base_url) == key


@pytest.mark.parametrize("key", ["sk-1\nsk-2", "sk-ä", "$NAME", "${NAME-KEY}", "secret:"])
def test_what_can_be_no_key_is_a_mistake(key: str) -> None:
    """A line break that was copied with it, or a reference that is not one."""
    with pytest.raises(UserMistake, match="api_key"):
        KeyReader({}, os.path.basename).read(key, "api_key", None)
