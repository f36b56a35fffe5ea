"""The request that all questions share: what the openai package would send, made once."""

import asyncio
import gzip
import json

import httpx2
import pytest
from openai import AsyncOpenAI

from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.request_pattern import make_pattern
from tasks.evaluation.errors import EndpointStop
from tests.support.asking import ask
from tests.support.fake_endpoint import FakeEndpoint, Reply, completion, prompt_of

SETTINGS = {"model": "m", "temperature": 0.0, "messages": "overwritten", "stop": ["\n", "ü"]}


def send(messages: list[Message]) -> list[httpx2.Request]:
    """Return the request with these messages as the openai package sends it, and as the pattern makes it."""
    sent: list[httpx2.Request] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    async def post() -> None:
        http_client = httpx2.AsyncClient(transport=httpx2.MockTransport(keep))
        client = AsyncOpenAI(
            base_url="http://h/v1",
            default_query={"v": "a&b"},
            default_headers={"X": "y", "Host": "behind"},
            api_key="k",
            http_client=http_client,
        )
        await client.post("/chat/completions", cast_to=httpx2.Response, body={**SETTINGS, "messages": messages})
        pattern = await make_pattern(client, SETTINGS)
        sent.append(httpx2.Request("POST", str(pattern.url), headers=pattern.headers, content=pattern.fill(messages)))

    asyncio.run(post())
    return sent


def test_it_is_what_the_package_sends() -> None:
    """Address, headers and every member of the body, whatever the texts hold."""
    messages: list[Message] = [{"role": "system", "content": "Sit."}, {"role": "user", "content": 'ä "1" \\ 中 😀\n'}]
    sent, made = send(messages)
    assert str(made.url) == str(sent.url) == "http://h/v1/chat/completions?v=a%26b"
    assert dict(made.headers) | {"content-length": sent.headers["content-length"]} == dict(sent.headers)
    assert json.loads(made.content) == json.loads(sent.content) == {**SETTINGS, "messages": messages}


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(endpoint: FakeEndpoint) -> None:
    """It has no form in UTF-8, and one question must not stop a run."""
    endpoint.rule = lambda body: completion(prompt_of(body))
    assert ask(endpoint.url, prompt="a\ud800b\udfff").text == "a?b?"


def test_settings_without_a_form_in_json_stop_the_run(endpoint: FakeEndpoint) -> None:
    """Before anything is sent."""
    with pytest.raises(EndpointStop, match=r"cannot be asked with these settings: .*JSON compliant"):
        ask(endpoint.url, temperature=float("nan"))
    assert endpoint.bodies == []


def test_a_packed_reply_is_read(endpoint: FakeEndpoint) -> None:
    """As httpx reads it; one that cannot be unpacked is asked for again."""
    body = json.dumps(completion("B").body).encode()
    replies = iter(
        [Reply(b"damaged", 200, {"Content-Encoding": "gzip"}), Reply(gzip.compress(body), 200, {"Content-Encoding": "gzip"})]
    )
    endpoint.rule = lambda _: next(replies)
    assert ask(endpoint.url).text == "B"
    assert len(endpoint.bodies) == 2
