"""If an endpoint declines every request, the message holds the lines to change, and these lines fix it."""

from dataclasses import replace

import pytest
import yaml

from tasks.evaluation.endpoints.advice import advise
from tasks.evaluation.endpoints.described import GRADER_REQUEST
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.json_lines import JsonObject

GENERATOR = Endpoint(
    "generator", "http://h/v1", "none", {"model": "o3", "temperature": 0.0, "max_tokens": 1024}, "model.generator_settings"
)
GRADER = replace(
    GENERATOR, role="grader", request={"model": "gpt-5", **GRADER_REQUEST}, origin="the entry 'gpt-5' of servers.yaml"
)
WANTS_SUCCESSOR = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "max_tokens",
)
DEFAULT_ONLY = (
    "Unsupported value: 'temperature' does not support 0.0 with this model. Only the default (1) value is supported.",
    "temperature",
)


@pytest.mark.parametrize(
    ("endpoint", "words", "lines"),
    [
        (
            GENERATOR,
            WANTS_SUCCESSOR,
            {"temperature": None, "max_tokens": None, "extra": {"max_completion_tokens": 1024}},
        ),
        (GENERATOR, DEFAULT_ONLY, {"temperature": None}),
        (
            GENERATOR,
            ("litellm.UnsupportedParamsError: gpt-5 models don't support temperature=0.0.", None),
            {"temperature": None},
        ),
        (
            replace(GENERATOR, request={**GENERATOR.request, "top_k": 5, "seed": 1}),
            ("[{'type': 'extra_forbidden', 'loc': ('body', 'top_k'), 'msg': 'Extra inputs are not permitted'}]", None),
            {"extra": {"seed": 1}},
        ),
        (
            replace(GENERATOR, request={**GENERATOR.request, "top_p": 0.5}),
            WANTS_SUCCESSOR,
            {"temperature": None, "max_tokens": None, "extra": {"top_p": 0.5, "max_completion_tokens": 1024}},
        ),
        (GRADER, WANTS_SUCCESSOR, {"extra": {"temperature": None, "max_tokens": None, "max_completion_tokens": 1000}}),
        (GRADER, DEFAULT_ONLY, {"extra": {"temperature": None}}),
        (
            replace(GRADER, request={"model": "gpt-5", "temperature": 0.0, "max_completion_tokens": 4000}),
            DEFAULT_ONLY,
            {"extra": {"temperature": None, "max_tokens": None, "max_completion_tokens": 4000}},
        ),
    ],
)
def test_the_lines_are_those_to_change(endpoint: Endpoint, words: tuple[str, str | None], lines: dict[str, object]) -> None:
    """As YAML, for the place that is named; what stands there already is kept."""
    first, _, rest = advise(endpoint, *words).partition("\n")
    assert first == f"Change in {endpoint.origin}:"
    assert yaml.safe_load(rest) == lines


@pytest.mark.parametrize(
    "words",
    [
        "Requested sample logprobs of 20, which is greater than max allowed: 5",
        "Invalid top_logprobs value, the valid range of top_logprobs is [0, 5]",
        "Invalid 'top_logprobs': integer above maximum value. Expected a value <= 5, but got 20 instead.",
    ],
)
def test_a_server_that_shows_fewer_tokens_is_answered_with_its_number(words: str) -> None:
    """As the line to write."""
    request: JsonObject = {"model": "m", "logprobs": True, "top_logprobs": 20}
    assert '"top_logprobs": 5' in advise(replace(GENERATOR, request=request), words, "top_logprobs")


@pytest.mark.parametrize(
    ("endpoint", "words", "advice"),
    [
        (
            GENERATOR,
            "This model's maximum context length is 4096 tokens; 'max_tokens' or 'max_completion_tokens'",
            "lower max_tokens",
        ),
        (GENERATOR, "max_tokens is too large: 200000. This model supports at most 16384 completion tokens", "lower max_tokens"),
        (GENERATOR, "default chat template is no longer allowed, so you must provide a chat template", "instruct version"),
        (GRADER, "System role not supported", "name another grader"),
        (
            replace(GRADER, request={**GRADER.request, "response_format": {}}),
            "'response_format' of type 'json_schema' is not supported",
            "name another grader",
        ),
        (GENERATOR, "The prompt was blocked by our content policy", ""),
        (replace(GENERATOR, request={"model": "m", "stop": ["x"]}), "we had to stop: this user is unknown", ""),
        (GENERATOR, "", ""),
    ],
)
def test_other_causes_have_a_sentence_or_none(endpoint: Endpoint, words: str, advice: str) -> None:
    """Advice that does not fit is worse than the server's words alone."""
    given = advise(endpoint, words, None)
    assert advice in given
    assert bool(given) == bool(advice)


def test_no_key_is_in_the_lines() -> None:
    """Some gateways want theirs in the request."""
    endpoint = replace(GENERATOR, request={**GENERATOR.request, "user_token": "sk-very-secret"})
    assert "sk-very-secret" not in advise(endpoint, *WANTS_SUCCESSOR)
