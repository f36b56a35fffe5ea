"""What an endpoint declines: one question, or every one, and what the run does then."""

from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tests.support.exam import COUNT, read_final, run
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    error,
    prompt_of,
    write_config,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("exam")]


def test_a_refused_question_is_listed_and_not_counted(folder: Path, endpoint: FakeEndpoint) -> None:
    """It is final until --retry-refused."""
    config = write_config(folder, endpoint.url)
    endpoint.rule = lambda body: error(400, "content policy") if "Question 7:" in prompt_of(body) else answer_by_rule(body)
    assert run(config).is_completed()
    refused = read_final(folder)["results"][6]
    assert {name: refused[name] for name in ("question_id", "skipped")} == {"question_id": 7, "skipped": True}
    assert "content policy" in refused["error"]
    assert read_final(folder)["metadata"]["statistics"]["scored"] == COUNT - 1
    endpoint.forget()
    run(config)
    assert endpoint.bodies == []
    endpoint.rule = answer_by_rule
    run(config, retry_refused=True)
    assert sum(endpoint.asked().values()) == 1
    assert read_final(folder)["results"][6]["score"] == 1


def test_a_key_that_expires_stops_the_run(folder: Path, endpoint: FakeEndpoint) -> None:
    """What was scored is kept, and only what was in flight is asked in vain."""
    endpoint.rule = lambda body: error(401, "key expired") if len(endpoint.bodies) > 20 else answer_by_rule(body)
    state = run(write_config(folder, endpoint.url))
    assert state.is_failed()
    assert "renew the API key" in state.message
    assert len(endpoint.bodies) <= 20 + 8


@pytest.mark.parametrize(
    ("failure", "asked"), [(error(401, "bad key"), 1), (error(404, "no such model"), 1), (error(400, "no temperature"), 3)]
)
def test_a_refusal_before_any_answer_is_a_mistake_in_the_settings(
    folder: Path, endpoint: FakeEndpoint, failure: Reply, asked: int
) -> None:
    """It costs one request, or three where it could be the question's fault; nothing is recorded of it."""
    endpoint.rule = lambda _: failure
    config = write_config(folder, endpoint.url)
    with pytest.raises(UserMistake, match=str(failure.status)):
        run(config).result()
    assert len(endpoint.bodies) == asked
    assert not (folder / "out").exists() or not list((folder / "out").iterdir())
    endpoint.rule = answer_by_rule
    endpoint.forget()
    assert run(config).is_completed()
    assert len(endpoint.bodies) == COUNT


def test_a_first_question_that_is_refused_is_no_mistake(folder: Path, endpoint: FakeEndpoint) -> None:
    """When the next one is answered, it is a refusal like any other."""
    endpoint.rule = lambda body: error(400, "content policy") if "Question 1:" in prompt_of(body) else answer_by_rule(body)
    assert run(write_config(folder, endpoint.url)).is_completed()
    assert "content policy" in read_final(folder)["results"][0]["error"]
    assert read_final(folder)["metadata"]["statistics"]["scored"] == COUNT - 1


def test_ten_refusals_in_a_row_stop_the_run(folder: Path, endpoint: FakeEndpoint) -> None:
    """Something has changed that is no property of single questions."""
    endpoint.rule = lambda body: error(400, "model retired") if len(endpoint.bodies) > 20 else answer_by_rule(body)
    state = run(write_config(folder, endpoint.url, parallel_workers=1))
    assert state.is_failed()
    assert "10 questions in a row were refused" in state.message
    assert "--retry-refused" in state.message
    assert len(endpoint.bodies) == 30
