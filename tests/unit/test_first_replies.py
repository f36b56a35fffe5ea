"""What the first replies tell about an endpoint: a wrong address, a model that only reasons, a firewall."""

import asyncio
from typing import Any

import pytest

from tasks.evaluation.errors import EvaluationError, Refused, UserMistake
from tests.support.asking import ask, make_client
from tests.support.fake_endpoint import FakeEndpoint, Reply, completion, error


@pytest.mark.parametrize(
    ("reply", "requests"),
    [
        (Reply(b"<html><title>Sign in</title></html>", 200, {"Content-Type": "text/html"}), 1),
        (Reply(b"", 302, {"Location": "https://login.example/"}), 1),
        (Reply(b"<title>Not Allowed</title>", 405), 1),
        (Reply(b"data: {}", 200, {"Content-Type": "text/event-stream"}), 1),
        (Reply({"hello": "world"}), 3),
        (Reply(b""), 3),
    ],
)
def test_a_wrong_address_is_found_out_by_the_first_question(endpoint: FakeEndpoint, reply: Reply, requests: int) -> None:
    """Not waited for as an outage; the message names the address."""
    endpoint.rule = lambda _: reply
    with pytest.raises(UserMistake, match=r"nothing was answered before at http://127\.0\.0\.1"):
        ask(endpoint.url, is_proven=False)
    assert len(endpoint.bodies) == requests


def test_a_model_that_only_reasons_is_reported_at_its_first_reply(
    endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the settings that help; as a refusal, since others may be answered."""
    endpoint.rule = lambda _: completion(None, reasoning_content="It flies, so B.")
    with pytest.raises(Refused, match="reasoning and no answer"):
        ask(endpoint.url, is_proven=False)
    shown = capsys.readouterr().out
    assert shown.count("15 characters of reasoning") == 1
    assert "enable_thinking: false" in shown


def ask_in_turn(url: str, count: int, *, is_proven: bool = True) -> list[str]:
    """Ask one client this many questions, one after the other; return the errors' names, empty for an answer."""

    async def ask_each() -> list[str]:
        client, ends = make_client(url, is_proven=is_proven), list[str]()
        for number in range(1, count + 1):
            try:
                await client.ask([{"role": "user", "content": f"Question {number}"}])
                ends.append("")
            except EvaluationError as error:
                ends.append(type(error).__name__)
        await client.close()
        return ends

    return asyncio.run(ask_each())


@pytest.mark.parametrize(
    "reply",
    [
        completion(None, "length", reasoning_content="It flies."),
        Reply(
            {
                "choices": [{"message": {"role": "assistant"}, "finish_reason": "length"}],
                "usage": {"completion_tokens": 512, "completion_tokens_details": {"reasoning_tokens": 512}},
            }
        ),
    ],
)
def test_a_model_that_spends_its_limit_on_reasoning_stops_the_run(
    endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str], reply: Reply
) -> None:
    """At the third question if nothing was answered before, shown or charged for; the settings that help are named."""
    endpoint.rule = lambda _: reply
    assert ask_in_turn(endpoint.url, 4, is_proven=False) == ["", "", "UserMistake", "UserMistake"]
    assert len(endpoint.bodies) == 3
    assert "raise max_tokens" in capsys.readouterr().out


def test_a_question_that_a_firewall_blocks_does_not_stop_the_others(endpoint: FakeEndpoint) -> None:
    """Three in a row do: then it is no single question."""

    def rule(body: dict[str, Any]) -> Reply:
        number = int(body["messages"][-1]["content"].split()[1])
        return error(403, "<title>403 Forbidden</title>") if number in (2, 4, 5, 6) else completion("B")

    endpoint.rule = rule
    assert ask_in_turn(endpoint.url, 6) == ["", "Blocked", "", "Blocked", "Blocked", "EndpointStop"]
