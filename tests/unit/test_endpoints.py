"""Endpoints as they really are: what is an answer, what is asked again, what is final, and what stops a run."""

import asyncio

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import EndpointFailure, EndpointStop, EvaluationError, Refused
from tests.support.asking import KEY, ask, make_client
from tests.support.fake_endpoint import FakeEndpoint, Reply, completion, error, prompt_of


def test_all_settings_are_sent_and_the_reply_is_kept(endpoint: FakeEndpoint) -> None:
    """The request is the settings and the messages, and nothing else."""
    answer = ask(endpoint.url, temperature=0.5, top_p=0.9)
    assert endpoint.bodies == [
        {"model": "m", "temperature": 0.5, "top_p": 0.9, "messages": [{"role": "user", "content": "Question 1"}]}
    ]
    assert (answer.text, answer.finish_reason, answer.response_model) == ("The answer is B.", "stop", "fake")
    assert answer.usage == {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    assert endpoint.keys == {f"Bearer {KEY}"}


def test_the_query_of_an_address_is_sent_behind_each_path(endpoint: FakeEndpoint) -> None:
    """Where some gateways want their key or the version of their interface."""
    ask(f"{endpoint.url}?code=a%26b&api-version=2")
    assert endpoint.paths == {"/v1/chat/completions?code=a%26b&api-version=2"}


@pytest.mark.parametrize(
    "failure",
    [
        error(500, "broken"),
        error(503, "loading"),
        error(429, "slow down"),
        error(408, "too late"),
        Reply(b"<html>Bad gateway</html>", 200, {"Content-Type": "text/html"}),
        Reply({}, 200),
        Reply({"choices": []}, 200),
        Reply(b'{"choices": [{"mess', 200),
        Reply({}, 200, {"X-Endless": "x" * 20_000}),
    ],
)
def test_a_failure_of_the_endpoint_is_asked_again(endpoint: FakeEndpoint, failure: Reply) -> None:
    """And an answer that follows counts."""
    replies = iter([failure, completion("B")])
    endpoint.rule = lambda _: next(replies)
    assert ask(endpoint.url).text == "B"


@pytest.mark.parametrize("failure", [error(500, "broken"), Reply({}, 200), Reply(b"not json", 200)])
def test_a_failure_that_stays_is_no_answer(endpoint: FakeEndpoint, failure: Reply) -> None:
    """The question is left unscored after the last attempt, while others get through."""

    async def ask_beside_another() -> None:
        client = make_client(endpoint.url)
        failing = asyncio.create_task(client.ask([{"role": "user", "content": "Question 1"}]))
        while len(endpoint.bodies) < 2:  # noqa: ASYNC110 - the server is on another thread
            await asyncio.sleep(0.01)
        await client.ask([{"role": "user", "content": "Question 2"}])
        try:
            await failing
        finally:
            await client.close()

    endpoint.delay_seconds = 0.05
    endpoint.rule = lambda body: failure if "Question 1" in prompt_of(body) else completion("B")
    with pytest.raises(EndpointFailure):
        asyncio.run(ask_beside_another())
    assert endpoint.asked() == {"Question 1": 3, "Question 2": 1}


def test_an_outage_is_waited_for(endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """While nothing gets through, a question is not given up; one line says so, and one that it is over."""
    replies = iter([error(503, "loading")] * 7 + [completion("B")])
    endpoint.rule = lambda _: next(replies)

    async def ask_patiently() -> Answer:
        client = make_client(endpoint.url, max_outage_seconds=60)
        try:
            return await client.ask([{"role": "user", "content": "Question 1"}])
        finally:
            await client.close()

    assert asyncio.run(ask_patiently()).text == "B"
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        "⚠️ Nothing gets through",
        "The generator answers again",
    ]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_is_final(endpoint: FakeEndpoint, status: int) -> None:
    """It is not asked again, and the server's words are kept."""
    endpoint.rule = lambda _: error(status, "content policy")
    with pytest.raises(Refused, match=f"{status}: content policy"):
        ask(endpoint.url)
    assert len(endpoint.bodies) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": "too many tokens"},
        {"detail": [{"loc": ["body"], "msg": "too many tokens"}]},
        {"error": {"message": "too many tokens", "param": ["temperature"], "code": {}}},
        b"<html>too many tokens</html>",
    ],
)
def test_a_refusal_is_told_in_the_servers_words(endpoint: FakeEndpoint, body: object) -> None:
    """In whatever form they come."""
    endpoint.rule = lambda _: Reply(body, 422)
    with pytest.raises(Refused, match=r"answered 422: .*too many tokens"):
        ask(endpoint.url)


def test_a_content_filter_is_a_refusal(endpoint: FakeEndpoint) -> None:
    """Though its status is 200."""
    endpoint.rule = lambda _: completion(None, "content_filter")
    with pytest.raises(Refused, match="content filter"):
        ask(endpoint.url)


def test_an_empty_answer_is_a_refusal_at_the_third_time(endpoint: FakeEndpoint) -> None:
    """At temperature 0 it would come for ever."""
    endpoint.rule = lambda _: completion("")
    with pytest.raises(Refused, match="3 times"):
        ask(endpoint.url)
    assert len(endpoint.bodies) == 3


@pytest.mark.parametrize(
    ("failure", "what_to_do"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), "renew the API key"),
        (error(403, "no access"), "ask for access"),
        (error(404, "no such model"), "fix the address"),
        (error(402, "no credit"), "renew the account's credit"),
    ],
)
def test_what_only_the_user_can_fix_stops_the_run(endpoint: FakeEndpoint, failure: Reply, what_to_do: str) -> None:
    """The message says what to fix, and never repeats the key."""
    endpoint.rule = lambda _: failure
    with pytest.raises(EndpointStop, match=what_to_do) as caught:
        ask(endpoint.url)
    assert KEY not in str(caught.value)


def test_a_spent_quota_stops_the_run(endpoint: FakeEndpoint) -> None:
    """It comes as a 429, like a rate limit."""
    endpoint.rule = lambda _: error(429, "You exceeded your current quota", "insufficient_quota")
    with pytest.raises(EndpointStop, match="credit"):
        ask(endpoint.url)


def test_an_endpoint_that_is_not_there_stops_the_run() -> None:
    """After the longest outage that is allowed; no score comes of it."""
    with pytest.raises(EndpointStop, match=r"nothing got through.*cannot be reached"):
        ask("http://127.0.0.1:9/v1")


def test_an_endpoint_that_hangs_stops_the_run(endpoint: FakeEndpoint) -> None:
    """After the request's time."""
    endpoint.delay_seconds = 0.5
    with pytest.raises(EndpointStop, match="did not answer in time"):
        ask(endpoint.url, timeout_seconds=0.1)


def test_a_cut_answer_is_an_answer(endpoint: FakeEndpoint) -> None:
    """As far as it goes, an empty one included."""
    endpoint.rule = lambda _: completion("", "length")
    answer = ask(endpoint.url)
    assert (answer.text, answer.finish_reason) == ("", "length")


@pytest.mark.parametrize(
    ("reply", "text", "thought"),
    [
        (completion("<think>A or B?</think>\n\nB"), "B", "A or B?"),
        (completion("A or B?</think>B"), "B", "A or B?"),
        (completion("<think>A or", "length"), "", "A or"),
        (completion("B", reasoning_content="A or B?"), "B", "A or B?"),
        (completion("B", reasoning="A or B?"), "B", "A or B?"),
        (completion("B"), "B", None),
    ],
)
def test_a_thought_is_kept_apart_from_the_answer(endpoint: FakeEndpoint, reply: Reply, text: str, thought: str | None) -> None:
    """It is never read as the answer."""
    endpoint.rule = lambda _: reply
    answer = ask(endpoint.url)
    assert (answer.text, answer.reasoning) == (text, thought)


def test_every_failure_is_one_of_ours() -> None:
    """So that the command shows each without a traceback."""
    assert issubclass(EndpointFailure, EvaluationError)
    assert issubclass(EndpointStop, EvaluationError)


def test_half_a_surrogate_pair_can_be_asked(endpoint: FakeEndpoint) -> None:
    """It has no UTF-8 form, and must not leave its question unscored for ever."""

    async def ask_it() -> Answer:
        client = make_client(endpoint.url)
        try:
            return await client.ask([{"role": "user", "content": "Question 1 \ud83d"}])
        finally:
            await client.close()

    assert asyncio.run(ask_it()).text == "The answer is B."
    assert list(endpoint.asked()) == ["Question 1 ?"]


def test_a_list_of_parts_is_a_text(endpoint: FakeEndpoint) -> None:
    """Some servers answer so."""
    parts = [{"type": "text", "text": "The answer "}, {"type": "text", "text": "is B."}]
    endpoint.rule = lambda _: Reply({"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})
    assert ask(endpoint.url).text == "The answer is B."


def test_headers_of_64_kilobytes_are_read(endpoint: FakeEndpoint) -> None:
    """Some gateways report there what their filters found."""
    reply = completion("B")
    endpoint.rule = lambda _: Reply(reply.body, 200, {"X-Findings": "x" * 60_000})
    assert ask(endpoint.url).text == "B"
