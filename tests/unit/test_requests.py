"""What is sent beside the messages: the settings, whatever the endpoint wants, and nothing that is set to null."""

import json
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.described import find_generator, find_judge
from tasks.evaluation.endpoints.endpoint import Endpoint, list_key_warnings
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject


def requests(settings: dict[str, object], *, grader: str = "judge", extra: object = None) -> list[JsonObject]:
    """Return the generator's and the grader's requests, with these settings and the grader's `extra`."""
    generator_settings = {"model": "m", "base_url": "http://h/v1", **settings}
    config = {
        "questions_file": "exam.json",
        "model": {"generator_settings": generator_settings, "grader_shortname": grader},
    }
    server = {"shortname": "judge", "openai_api_base": "http://g/v1", "openai_model": "j", "extra": extra or {}}
    Path("config.yaml").write_text(json.dumps(config))
    Path("model_servers.yaml").write_text(json.dumps({"servers": [server]}))
    loaded, keys = load_config("config.yaml", Overrides()), KeyReader({}, str)
    generator = find_generator(loaded, keys)
    found = find_judge(loaded, Path(), keys, generator)
    assert found
    return [generator.request, found.request]


def test_the_defaults_are_the_originals(folder: Path) -> None:
    """Of both."""
    assert requests({}) == [
        {"model": "m", "temperature": 0.0, "max_tokens": 1024},
        {"model": "j", "temperature": 0.0, "max_tokens": 1000},
    ]


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"extra": {"top_p": 0.9, "seed": 1, "stop": ["\n"]}}, {"top_p": 0.9, "seed": 1, "stop": ["\n"]}),
        ({"extra": {"chat_template_kwargs": {"enable_thinking": False}}}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ({"extra": {"reasoning_effort": "high", "temperature": 1}}, {"reasoning_effort": "high", "temperature": 1}),
    ],
)
def test_extra_is_merged_into_each_request(folder: Path, settings: dict[str, object], sent: dict[str, object]) -> None:
    """The generator's into the generator's, the grader's into the grader's; it goes before the other settings."""
    generator, grader = requests(settings)
    assert generator == {"model": "m", "temperature": 0.0, "max_tokens": 1024, **sent}
    assert grader == {"model": "j", "temperature": 0.0, "max_tokens": 1000}
    _, grader = requests({}, extra=settings["extra"])
    assert grader == {"model": "j", "temperature": 0.0, "max_tokens": 1000, **sent}


def test_null_is_not_sent(folder: Path) -> None:
    """As o-series and gpt-5 models want it, as generators, as graders, and as both."""
    extra = {"max_completion_tokens": 4000}
    none = {"temperature": None, "max_tokens": None}
    assert requests({**none, "extra": extra}, extra={**none, **extra}) == [
        {"model": "m", "max_completion_tokens": 4000},
        {"model": "j", "max_completion_tokens": 4000},
    ]
    _, grader = requests({**none, "extra": extra}, grader="self")
    assert grader.keys() == {"model", "max_completion_tokens", "response_format"}


def find(url: str | None, environment: dict[str, str]) -> Endpoint:
    """Return the generator at this address."""
    config = Config.model_validate({"questions_file": "q", "model": {"generator_settings": {"model": "m", "base_url": url}}})
    return find_generator(config, KeyReader(environment, str))


@pytest.mark.parametrize(
    ("named", "variable", "address", "key"),
    [
        (None, None, "https://api.openai.com/v1", "sk-1"),
        (None, "", "https://api.openai.com/v1", "sk-1"),
        (None, "http://gateway/v1", "http://gateway/v1", "sk-1"),
        ("http://gateway/v1", "http://gateway/v1", "http://gateway/v1", "sk-1"),
        ("http://other/v1", "http://gateway/v1", "http://other/v1", "none"),
        ("https://api.openai.com/v1", "http://gateway/v1", "https://api.openai.com/v1", "sk-1"),
    ],
)
def test_the_key_of_the_environment_is_for_the_address_of_the_environment(
    named: str | None, variable: str | None, address: str, key: str
) -> None:
    """And for OpenAI's own; every message names the address that is asked."""
    environment = {"OPENAI_API_KEY": "sk-1"} | ({} if variable is None else {"OPENAI_BASE_URL": variable})
    found = find(named, environment)
    assert (found.base_url, found.shown_url, found.api_key) == (address, address, key)


def test_a_key_that_goes_to_the_environments_address_in_clear_is_told() -> None:
    """As one that goes to an address of the settings; the address decides about no answer's identity."""
    found = find(None, {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "http://gateway/v1"})
    [warning] = list_key_warnings([found], found_plain=False)
    assert "sent to gateway without encryption" in warning
    assert found.request == find(None, {}).request


def test_an_address_of_the_environment_that_is_none_is_a_mistake() -> None:
    """The message names the variable."""
    with pytest.raises(UserMistake, match="OPENAI_BASE_URL: this is no address"):
        find(None, {"OPENAI_BASE_URL": "gateway"})


def test_headers_are_sent_and_are_no_part_of_the_request(folder: Path) -> None:
    """They say who asks and by which way, like the key; so answers stay known when they change."""
    headers = {"x-api-key": "${LAB_KEY}", "X-Run": "Bearer secret:block", "X-Org": "bees"}
    config = Config.model_validate(
        {"questions_file": "q", "model": {"generator_settings": {"model": "m", "base_url": "http://h/v1", "headers": headers}}}
    )
    found = find_generator(config, KeyReader({"LAB_KEY": "sk-lab"}, lambda name: f"sk-{name}"))
    assert found.headers == {"X-Api-Key": "sk-lab", "X-Run": "Bearer sk-block", "X-Org": "bees"}
    assert found.request == find("http://h/v1", {}).request
    assert {"sk-lab", "sk-block", "bees"} <= set(found.secrets)
    assert "bees" not in json.dumps(config.for_files())


@pytest.mark.parametrize("headers", [{"X Y": "a"}, {"Content-Length": "3"}, {"X-A": "a\nb"}, {"X-A": ""}])
def test_headers_that_cannot_be_sent_are_a_mistake(headers: dict[str, str]) -> None:
    """Found out before anything is asked."""
    settings = {"model": "m", "base_url": "http://h/v1", "headers": headers}
    with pytest.raises(ValueError, match="header"):
        Config.model_validate({"questions_file": "q", "model": {"generator_settings": settings}})


@pytest.mark.parametrize(
    ("extra", "sent"),
    [
        ({}, {"top_logprobs": 20, "max_tokens": 1}),
        ({"top_logprobs": 5}, {"top_logprobs": 5, "max_tokens": 1}),
        ({"max_tokens": 3}, {"top_logprobs": 20, "max_tokens": 3}),
    ],
)
def test_extra_overrides_what_grading_by_logprobs_sends(extra: dict[str, int], sent: dict[str, int]) -> None:
    """Servers differ in how many tokens they show."""
    settings = {"model": "m", "base_url": "http://h/v1", "extra": extra}
    config = Config.model_validate({"questions_file": "q", "model": {"generator_settings": settings}, "grading": "logprobs"})
    request = find_generator(config, KeyReader({}, str)).request
    assert request == {"model": "m", "temperature": 0.0, "logprobs": True, **sent}
