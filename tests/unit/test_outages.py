"""When an endpoint is gone, slow or busy: what is waited for, what is given up, what is found out before the first question."""

import asyncio
import socket
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.failures import read_retry_after
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.outage import Outage
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import EndpointFailure, EndpointStop, EvaluationError, KeyRefused, RateLimited, UserMistake
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, completion, error, prompt_of

Outcome = Answer | EvaluationError


def make_patience(request_timeout_seconds: float = 10, max_outage_seconds: float = 60) -> Patience:
    """Return the limits of real runs, with short pauses."""
    return Patience(
        request_timeout_seconds,
        max_outage_seconds,
        first_pause_seconds=0.01,
        longest_pause_seconds=0.01,
        probe_seconds=0.01,
        look_seconds=0.1,
    )


PATIENCE = make_patience()


def ask_all(endpoint: FakeEndpoint, count: int, *, workers: int, patience: Patience = PATIENCE) -> list[Outcome]:
    """Return how questions 1 to `count` end, with this many of them in flight."""

    async def ask(client: Client, slots: Slots, number: int) -> Answer:
        async with slots:
            message: Message = {"role": "user", "content": f"Question {number}"}
            return await client.ask([message])

    async def ask_each() -> list[Outcome]:
        slots = Slots(workers)
        target = Endpoint("generator", endpoint.url, "none", {"model": "m"})
        client = Client(target, patience, is_proven=True, slots=slots, notify=print)
        try:
            tasks = [ask(client, slots, number + 1) for number in range(count)]
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await client.close()
        return [outcome for outcome in outcomes if isinstance(outcome, Answer | EvaluationError)]

    return asyncio.run(ask_each())


def test_an_outage_costs_no_question(endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """All are answered after it, whoever's turn it was to try; one line reports it, and one its end."""
    endpoint.rule = lambda body: error(503, "loading") if len(endpoint.bodies) < 60 else answer_by_rule(body)
    outcomes = ask_all(endpoint, 30, workers=8)
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in said] == ["⚠️ Nothing gets through", "The generator answers again"]


@pytest.mark.parametrize("workers", [1, 8])
def test_one_question_that_breaks_the_endpoint_does_not_stand_for_all(endpoint: FakeEndpoint, workers: int) -> None:
    """The others are answered, with one worker too; it alone is left unscored after its eight attempts."""
    endpoint.rule = lambda body: error(500, "boom") if prompt_of(body) == "Question 1" else answer_by_rule(body)
    outcomes = ask_all(endpoint, 30, workers=workers)
    assert isinstance(outcomes[0], EndpointFailure)
    assert all(isinstance(outcome, Answer) for outcome in outcomes[1:])
    assert endpoint.asked()["Question 1"] == 8
    assert set(endpoint.asked().values()) == {1, 8}


@pytest.mark.parametrize("retry_after", ["3600", "9" * 400])
def test_a_failed_endpoint_that_asks_for_a_long_wait_is_tried_meanwhile(endpoint: FakeEndpoint, retry_after: str) -> None:
    """Also by the last questions of a run, of which none is left to find out that it is back."""
    down = error(503, "maintenance", **{"Retry-After": retry_after})
    endpoint.rule = lambda body: down if len(endpoint.bodies) < 20 else answer_by_rule(body)
    outcomes = ask_all(endpoint, 3, workers=3, patience=replace(PATIENCE, longest_asked_seconds=0.01))
    assert [type(outcome) for outcome in outcomes] == [Answer] * 3


def test_an_outage_that_lasts_too_long_stops_the_run(endpoint: FakeEndpoint) -> None:
    """Nobody is asked after that."""
    endpoint.rule = lambda _: error(502, "bad gateway")
    outcomes = ask_all(endpoint, 30, workers=4, patience=make_patience(max_outage_seconds=0.2))
    assert {type(outcome) for outcome in outcomes} == {EndpointStop}
    assert "nothing got through for 0 s" in str(outcomes[-1])


def test_an_endpoint_that_only_hangs_stops_the_run_in_time(endpoint: FakeEndpoint) -> None:
    """With one worker eight failures would take eight times as long as a request may."""
    endpoint.delay_seconds = 1.0
    outcomes = ask_all(endpoint, 1, workers=1, patience=make_patience(0.2, 0.1))
    assert "nothing got through for 0 s" in str(outcomes[0])
    assert len(endpoint.bodies) == 2


def test_requests_that_hang_do_not_hold_up_the_others(endpoint: FakeEndpoint) -> None:
    """Each ends after request_timeout_seconds and is asked again."""
    hung: set[str] = set()

    def rule(body: dict[str, Any]) -> Reply:
        prompt = prompt_of(body)
        if prompt in ("Question 2", "Question 5") and prompt not in hung:
            hung.add(prompt)
            time.sleep(1.5)
        return answer_by_rule(body)

    endpoint.rule = rule
    outcomes = ask_all(endpoint, 12, workers=3, patience=make_patience(0.5))
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert endpoint.asked() == {f"Question {n}": 2 if n in (2, 5) else 1 for n in range(1, 13)}


def test_a_reply_that_trickles_in_ends_with_the_request_s_time(endpoint: FakeEndpoint) -> None:
    """The time is that of the whole request, not of the pause between two pieces."""
    endpoint.rule = lambda _: Reply(completion("B").body, trickle_seconds=0.05)
    outcomes = ask_all(endpoint, 1, workers=1, patience=make_patience(0.3, 0))
    assert "did not answer in time" in str(outcomes[0])


def test_a_busy_endpoint_is_asked_again_and_again(endpoint: FakeEndpoint) -> None:
    """429 counts as no attempt: each question is answered, however often it was put off."""
    endpoint.rule = lambda body: answer_by_rule(body) if len(endpoint.bodies) % 2 == 0 else error(429, "slow down")
    outcomes = ask_all(endpoint, 4, workers=4)
    assert all(isinstance(outcome, Answer) for outcome in outcomes)


def test_cookies_are_sent_back(endpoint: FakeEndpoint) -> None:
    """Also to an address without a name: some gateways keep a session on one of their servers by them."""
    endpoint.rule = lambda body: replace(answer_by_rule(body), headers={"Set-Cookie": "route=7; Path=/"})
    ask_all(endpoint, 2, workers=1)
    assert endpoint.cookies == {None, "route=7"}


def test_a_wait_longer_than_the_longest_outage_stops_the_run(endpoint: FakeEndpoint) -> None:
    """With the number that the endpoint gave."""
    endpoint.rule = lambda _: error(429, "daily limit", **{"Retry-After": "86400"})
    outcomes = ask_all(endpoint, 1, workers=1)
    assert isinstance(outcomes[0], EndpointStop)
    assert "asks to wait for 86,400 s, longer than max_outage_seconds" in str(outcomes[0])


def test_a_stop_stays_whatever_comes_back_after_it(endpoint: FakeEndpoint) -> None:
    """Nothing is asked again once the endpoint has said that it will answer nobody."""

    def rule(body: dict[str, Any]) -> Reply:
        if prompt_of(body) == "Question 1":
            return error(401, "wrong key")
        time.sleep(0.5)
        return error(500, "boom")

    endpoint.rule = rule
    outcomes = ask_all(endpoint, 4, workers=4)
    assert {type(outcome) for outcome in outcomes} == {KeyRefused}
    assert set(endpoint.asked().values()) == {1}


def test_an_outage_can_be_looked_at_from_outside() -> None:
    """From the failures that begin it to the reply that ends it; the reason does not name the endpoint twice."""
    outage = Outage("generator", make_patience(), print)
    assert outage.waiting is None
    outage.note_failure(EndpointFailure("the generator cannot be reached: Connection refused"))
    assert outage.waiting is None
    assert [outage.note_failure(EndpointFailure("the generator answered 503: loading")) for _ in range(7)] == [None] * 7
    assert outage.waiting
    assert (outage.waiting.role, outage.waiting.reason) == ("generator", "answered 503: loading")
    outage.note_reply()
    assert outage.waiting is None


def test_a_wait_that_the_endpoint_asks_for_is_seen_too() -> None:
    """Though no request has failed but one."""
    outage = Outage("grader", make_patience(), print)
    outage.note_put_off(RateLimited("the grader answered 429: slow down", retry_after_seconds=20.0))
    assert outage.waiting
    assert outage.waiting.reason == "answered 429: slow down"


def test_a_long_wait_is_told_once(endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """Not once for each question that was in flight when it was asked for."""
    endpoint.delay_seconds = 0.1
    endpoint.rule = lambda _: error(429, "slow down", **{"Retry-After": "20"})

    async def stop_at_the_wait() -> None:
        slots = Slots(8)
        target = Endpoint("generator", endpoint.url, "none", {"model": "m"})
        client = Client(target, make_patience(), is_proven=True, slots=slots, notify=print)
        asked = [asyncio.create_task(client.ask([{"role": "user", "content": f"Question {n}"}])) for n in range(8)]
        await asyncio.wait(asked, timeout=1)
        for each in asked:
            each.cancel()
        await client.close()

    asyncio.run(stop_at_the_wait())
    assert capsys.readouterr().out.count("asks to wait for 20 s") == 1


NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "900"}, 900.0),
        ({"retry-after": format_datetime(NOW.replace(minute=5), usegmt=True)}, 300.0),
        ({"retry-after": format_datetime(NOW.replace(hour=11), usegmt=True)}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "9" * 400}, 0.0),
        ({"retry-after-ms": "nan"}, 0.0),
        ({}, 0.0),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float) -> None:
    """Seconds, a date, milliseconds; anything else asks for nothing."""
    assert read_retry_after(headers, NOW.timestamp()) == seconds


def look(url: str, model: str = "m", *, patience: Patience = PATIENCE, is_proven: bool = False) -> None:
    async def look_once() -> None:
        target = Endpoint("generator", url, "none", {"model": model}, origin="model.generator_settings")
        client = Client(target, patience, is_proven=is_proven, slots=Slots(), notify=print)
        try:
            await check_endpoint(client, print)
        finally:
            await client.close()

    asyncio.run(look_once())


def test_nothing_at_the_address_is_found_out_at_once() -> None:
    """With the address and the setting to fix."""
    with pytest.raises(UserMistake, match=r"nothing answers at http://127.0.0.1:9/v1.*in model.generator_settings"):
        look("http://127.0.0.1:9/v1")


def test_a_firewall_that_swallows_connections_is_found_out_at_once() -> None:
    """Though nothing says that nothing is there."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as silent, ExitStack() as waiting:
        for _ in range(3):
            # As many as it takes for the system to answer no more of them.
            each = waiting.enter_context(closing(socket.socket()))
            each.setblocking(False)
            each.connect_ex(silent.getsockname())
        with pytest.raises(UserMistake, match=r"cannot be reached.*in model.generator_settings"):
            look(f"http://127.0.0.1:{silent.getsockname()[1]}/v1", patience=replace(PATIENCE, connect_seconds=0.5))


def test_a_list_of_models_that_does_not_come_is_no_mistake(endpoint: FakeEndpoint) -> None:
    """Also where a question may take no longer than that."""
    endpoint.models = Reply({"data": []}, trickle_seconds=0.2)
    look(endpoint.url, patience=replace(PATIENCE, request_timeout_seconds=0.1, list_seconds=0.5))


def test_a_key_that_is_not_accepted_is_found_out_at_once(endpoint: FakeEndpoint) -> None:
    """No question is asked."""
    endpoint.models = error(401, "Incorrect API key")
    with pytest.raises(UserMistake, match=r"renew the API key.*see model.generator_settings"):
        look(endpoint.url)
    assert endpoint.bodies == []


def list_names(*names: str, owner: str = "") -> Reply:
    return Reply({"data": [{"id": name, "owned_by": owner} for name in names]})


def test_a_misspelt_model_is_found_out_at_once(endpoint: FakeEndpoint) -> None:
    """With the one that was meant; no question is asked."""
    endpoint.models = list_names("llama", "mistral")
    message = r"does not list the model 'lama': did you mean 'llama'\? It lists: llama, mistral. Fix the name in model.gen"
    with pytest.raises(UserMistake, match=message):
        look(endpoint.url, "lama")
    assert endpoint.bodies == []


def test_a_model_that_has_answered_before_is_never_refused(endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the list says."""
    endpoint.models = list_names("llama", "mistral")
    look(endpoint.url, "lama", is_proven=True)
    assert "does not list the model 'lama' (did you mean 'llama'?); it lists: llama, mistral" in capsys.readouterr().out


def test_a_gateway_that_does_not_list_the_model_is_asked(endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]) -> None:
    """It may know more than it lists; the line names what it lists."""
    endpoint.models = list_names("openai/gpt-4.1", "meta/llama-8b")
    look(endpoint.url, "openai/gpt-5")
    assert "does not list the model 'openai/gpt-5'" in capsys.readouterr().out


@pytest.mark.parametrize(
    "models", [error(404, "no such path"), error(500, "x"), Reply(b"<html>"), Reply({"data": [{"id": "m"}]}), Reply([])]
)
def test_an_endpoint_need_not_list_its_models(
    endpoint: FakeEndpoint, models: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no line then."""
    endpoint.models = models
    look(endpoint.url)
    assert capsys.readouterr().out == ""
