"""An endpoint that takes other settings says so once, and what the run then tells to change is enough."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.evaluation.errors import UserMistake
from tests.support.exam import run
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    is_grader,
    make_questions,
    write_config,
    write_questions,
)

pytestmark = pytest.mark.slow


def answer_as_a_reasoning_model(body: dict[str, Any]) -> Reply:
    """Answer as o-series and gpt-5 models do, which complain of one setting at a time."""
    if "max_tokens" in body:
        words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        return error(400, words, "unsupported_parameter")
    if body.get("temperature", 1) != 1:
        return error(400, "Unsupported value: 'temperature' does not support 0.0 with this model.", "unsupported_value")
    assert body["max_completion_tokens"] in (1000, 1024)
    return answer_by_rule(body)


def read_advice() -> tuple[str, dict[str, Any]]:
    """Return where the run asks for a change, and the lines to write there."""
    with pytest.raises(UserMistake, match="nothing was answered before") as caught:
        run().result()
    place, _, lines = str(caught.value).partition("Change in ")[2].partition(":\n")
    return place, yaml.safe_load(lines)


def change(path: Path, keys: list[str | int], lines: dict[str, Any]) -> None:
    """Put the lines into the file, under these keys."""
    settings = section = yaml.safe_load(path.read_text())
    for key in keys:
        section = section[key]
    section |= lines
    path.write_text(json.dumps(settings))


def test_the_lines_that_are_told_are_enough(
    prefect_server: str, folder: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the generator, then for the grader; what was answered in between is not asked again."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")
    write_questions(folder, make_questions(6))
    write_config(folder, endpoint.url, grader=True)
    endpoint.rule = answer_as_a_reasoning_model
    place, lines = read_advice()
    assert place == "model.generator_settings"
    assert not any(is_grader(body) for body in endpoint.bodies)
    change(folder / "config.yaml", ["model", "generator_settings"], lines)
    endpoint.forget()
    place, lines = read_advice()
    assert place == "the entry 'judge' of model_servers.yaml"
    change(folder / "model_servers.yaml", ["servers", 0], lines)
    assert run().is_completed()
    assert set(endpoint.asked().values()) == {1}
    assert len(endpoint.asked()) == 6
