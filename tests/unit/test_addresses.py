"""Several addresses of one model: they share the requests, and one that fails costs no question."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.processing_settings import Processing
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import Declined, EndpointFailure, EndpointStop, EvaluationError, UnfinishedBatch, UserMistake
from tasks.evaluation.reporting.tables import list_traffic
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.report import report
from tests.support.evaluation import Evaluation, assert_own_answers
from tests.support.fake_endpoint import FakeEndpoint, Reply, Rule, answer_by_rule, error, prompt_of, wait_until, write_config

PATIENCE = Patience(
    10, 60, first_pause_seconds=0.01, longest_pause_seconds=0.01, probe_seconds=0.01, look_seconds=0.1, look_again_seconds=60
)
DROPPED = Reply(is_dropped=True)
Outcome = Answer | EvaluationError


@pytest.fixture
def pair() -> Iterator[list[FakeEndpoint]]:
    """Yield two model servers."""
    with ExitStack() as stack:
        yield [stack.enter_context(FakeEndpoint()) for _ in range(2)]


def make_target(servers: list[FakeEndpoint], weights: tuple[float, ...] = (1, 1)) -> Endpoint:
    first, *others = (
        Endpoint("generator", server.url, "none", {"model": "m"}, origin="the settings", weight=weight)
        for server, weight in zip(servers, weights, strict=True)
    )
    return replace(first, others=tuple(others))


def ask_all(
    target: Endpoint,
    count: int,
    *,
    workers: int = 8,
    patience: Patience = PATIENCE,
    most_each: int | None = None,
    is_proven: bool = True,
    is_checked: bool = False,
) -> list[Outcome]:
    """Return how questions 1 to `count` end, with this many of them in flight."""

    async def ask(client: Client, slots: Slots, number: int) -> Answer:
        async with slots:
            return await client.ask([{"role": "user", "content": f"Question {number}"}])

    async def ask_each() -> list[Outcome]:
        slots = Slots(workers)
        client = Client(target, patience, is_proven=is_proven, slots=slots, notify=print, most_each=most_each)
        try:
            if is_checked:
                await check_endpoint(client, print)
            tasks = [ask(client, slots, number + 1) for number in range(count)]
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await client.close()
        return [outcome for outcome in outcomes if isinstance(outcome, Answer | EvaluationError)]

    return asyncio.run(ask_each())


def assert_all_answered(outcomes: list[Outcome], count: int) -> None:
    """Check that each question has its own answer."""
    assert [outcome.text for outcome in outcomes if isinstance(outcome, Answer)] == [
        f"The answer is {'ABCD'[number % 4]}." for number in range(1, count + 1)
    ]


def count_asked(servers: list[FakeEndpoint]) -> "Counter[str]":
    return sum((server.asked() for server in servers), Counter())


def until(count: int, reply: Reply) -> Rule:
    """Return a rule that answers the first `count` requests with this reply, and then as it should."""
    seen: list[object] = []

    def rule(body: dict[str, Any]) -> Reply:
        seen.append(body)
        return reply if len(seen) <= count else answer_by_rule(body)

    return rule


def after(count: int, reply: Reply) -> Rule:
    """Return a rule that answers the first `count` requests as it should, and then with this reply."""
    seen: list[object] = []

    def rule(body: dict[str, Any]) -> Reply:
        seen.append(body)
        return answer_by_rule(body) if len(seen) <= count else reply

    return rule


def test_the_requests_are_shared_by_weight(pair: list[FakeEndpoint]) -> None:
    """An address has at most its share of what is in flight, and no question is asked twice."""
    for server in pair:
        server.delay_seconds = 0.02
    assert_all_answered(ask_all(make_target(pair, (1, 3)), 40), 40)
    assert [server.most_in_flight for server in pair] == [2, 6]
    assert set(count_asked(pair).values()) == {1}


def test_no_address_gets_more_than_it_may(pair: list[FakeEndpoint]) -> None:
    """However many questions are in flight."""
    for server in pair:
        server.delay_seconds = 0.02
    assert_all_answered(ask_all(make_target(pair), 30, workers=30, most_each=2), 30)
    assert [server.most_in_flight for server in pair] == [2, 2]


def test_one_worker_uses_all_addresses_in_turn(pair: list[FakeEndpoint]) -> None:
    """Though none of them is ever busy."""
    ask_all(make_target(pair), 10, workers=1)
    assert [len(server.bodies) for server in pair] == [5, 5]


def test_a_slow_address_gets_its_share_and_no_more(pair: list[FakeEndpoint]) -> None:
    """Its half of what is in flight; the others do the rest."""
    pair[0].delay_seconds, pair[1].delay_seconds = 0.3, 0.01
    assert_all_answered(ask_all(make_target(pair), 80), 80)
    assert pair[0].most_in_flight == 4
    assert len(pair[0].bodies) < 20
    assert set(count_asked(pair).values()) == {1}


def test_an_address_that_dies_costs_no_question(pair: list[FakeEndpoint], capsys: pytest.CaptureFixture[str]) -> None:
    """The other one gets its share, also of what was in flight there."""
    pair[0].rule = after(5, DROPPED)
    outcomes = ask_all(make_target(pair), 60, patience=replace(PATIENCE, probe_seconds=30))
    assert_all_answered(outcomes, 60)
    assert len(pair[0].bodies) <= 5 + PATIENCE.attempts + 8
    assert set(pair[1].asked().values()) == {1}
    assert "wait" not in capsys.readouterr().out


def test_nine_dead_addresses_of_ten_cost_no_question() -> None:
    """Though a question is asked eight times only where there is one address."""
    with ExitStack() as stack:
        servers = [stack.enter_context(FakeEndpoint()) for _ in range(10)]
        for server in servers[:9]:
            server.rule = after(0, DROPPED)
            server.models = DROPPED
        assert_all_answered(ask_all(make_target(servers, (1,) * 10), 20, workers=1), 20)
        assert set(servers[9].asked().values()) == {1}


def test_an_address_that_comes_back_gets_its_share_again(pair: list[FakeEndpoint], capsys: pytest.CaptureFixture[str]) -> None:
    """One line says that it was left alone, and one that it answers again."""
    pair[0].rule = until(12, error(503, "loading"))

    def wait_for_it(body: dict[str, Any]) -> Reply:
        wait_until(lambda: len(pair[0].bodies) > 20)
        return answer_by_rule(body)

    pair[1].rule = wait_for_it
    assert_all_answered(ask_all(make_target(pair), 40, most_each=4), 40)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(pair[0].url)[0] for line in said] == ["⚠️ Nothing gets through at ", "The generator at "]


def test_an_address_that_is_limited_leaves_its_share_to_the_other(pair: list[FakeEndpoint]) -> None:
    """It is asked no more while it asks to wait, and nobody waits for it; a wait for a day stops nothing."""
    pair[0].rule = after(0, error(429, "slow down", **{"Retry-After": "86400"}))
    assert_all_answered(ask_all(make_target(pair), 60), 60)
    assert len(pair[0].bodies) <= 8
    assert set(pair[1].asked().values()) == {1}


@pytest.mark.parametrize("is_proven", [True, False])
def test_an_address_that_does_not_accept_the_key_is_left_alone(
    pair: list[FakeEndpoint], capsys: pytest.CaptureFixture[str], *, is_proven: bool
) -> None:
    """Before the first answer and after it."""
    pair[0].admits = lambda _: False
    assert_all_answered(ask_all(make_target(pair), 40, is_proven=is_proven), 40)
    assert pair[0].refused_count <= 4
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"⚠️ {pair[0].url} is left alone, the other addresses take its share: the generator answered 401")


def test_an_address_that_was_lost_is_looked_at_again(pair: list[FakeEndpoint]) -> None:
    """Its key may have been mended."""
    pair[0].admits = lambda _: pair[0].refused_count >= 4

    def wait_for_it(body: dict[str, Any]) -> Reply:
        wait_until(lambda: len(pair[0].bodies) > 10)
        return answer_by_rule(body)

    pair[1].rule = wait_for_it
    patience = replace(PATIENCE, look_again_seconds=0.01)
    assert_all_answered(ask_all(make_target(pair), 40, most_each=4, patience=patience), 40)


def test_an_address_that_declines_what_others_answer_is_left_alone(pair: list[FakeEndpoint]) -> None:
    """Nothing that another one answers is refused."""
    pair[0].rule = after(0, error(400, "maximum context length is 16 tokens"))
    assert_all_answered(ask_all(make_target(pair), 40, workers=4), 40)
    assert len(pair[0].bodies) <= 3 + 4


def test_a_limit_at_the_other_address_refuses_nothing(pair: list[FakeEndpoint]) -> None:
    """What one address declines is not refused before another has answered or declined it."""
    pair[0].rule = lambda body: error(400, "blocked") if prompt_of(body) == "Question 3" else answer_by_rule(body)
    limited: list[str] = []

    def limit_once(body: dict[str, Any]) -> Reply:
        if prompt_of(body) != "Question 3" or limited:
            return answer_by_rule(body)
        limited.append("Question 3")
        return error(429, "slow down", **{"Retry-After": "0.1"})

    pair[1].rule = limit_once
    assert_all_answered(ask_all(make_target(pair), 6, workers=1), 6)
    assert limited


def test_an_address_that_asks_to_wait_for_a_day_delays_no_refusal(pair: list[FakeEndpoint]) -> None:
    """It is as good as none."""
    pair[0].rule = after(0, error(429, "slow down", **{"Retry-After": "86400"}))
    pair[1].rule = lambda body: error(400, "blocked") if prompt_of(body) == "Question 3" else answer_by_rule(body)
    outcomes = ask_all(make_target(pair), 6, workers=1)
    assert [type(outcome) for outcome in outcomes] == [Answer, Answer, Declined, Answer, Answer, Answer]


def test_what_two_addresses_decline_is_refused(pair: list[FakeEndpoint]) -> None:
    """After one request to each."""
    for server in pair:
        server.rule = lambda body: error(400, "blocked") if prompt_of(body) == "Question 3" else answer_by_rule(body)
    outcomes = ask_all(make_target(pair), 6, workers=2)
    assert [type(outcome) for outcome in outcomes] == [Answer, Answer, Declined, Answer, Answer, Answer]
    assert count_asked(pair)["Question 3"] == 2


def test_a_question_that_breaks_every_address_is_left_unscored(pair: list[FakeEndpoint]) -> None:
    """It alone, and neither address is given up for it."""
    for server in pair:
        server.rule = lambda body: error(500, "boom") if prompt_of(body) == "Question 1" else answer_by_rule(body)
    outcomes = ask_all(make_target(pair), 60, workers=4)
    assert isinstance(outcomes[0], EndpointFailure)
    assert all(isinstance(outcome, Answer) for outcome in outcomes[1:])
    assert count_asked(pair)["Question 1"] == PATIENCE.attempts + 1


@pytest.mark.parametrize("max_outage_seconds", [0, 0.2])
def test_the_run_stops_when_no_address_is_left(pair: list[FakeEndpoint], max_outage_seconds: float) -> None:
    """One of them alone does not stop it, whenever it failed; and nobody is asked after that."""
    pair[0].rule, pair[1].rule = after(3, DROPPED), after(20, DROPPED)
    patience = replace(PATIENCE, max_outage_seconds=max_outage_seconds)
    outcomes = ask_all(make_target(pair), 60, patience=patience)
    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {Answer: 23, EndpointStop: 37}
    assert "none of the 2 addresses is left" in str(outcomes[-1])


def test_a_mix_of_causes_stops_the_run_too(pair: list[FakeEndpoint]) -> None:
    """One address does not accept the key, the other is down."""
    pair[0].admits = lambda _: False
    pair[1].rule = after(0, DROPPED)
    outcomes = ask_all(make_target(pair), 10, patience=replace(PATIENCE, max_outage_seconds=0.1))
    assert {type(outcome) for outcome in outcomes} == {EndpointStop}


def test_before_the_first_answer_only_all_addresses_together_are_a_mistake(pair: list[FakeEndpoint]) -> None:
    """A web page at both of them."""
    for server in pair:
        server.rule = after(0, Reply(b"<html>", headers={"Content-Type": "text/html"}))
    outcomes = ask_all(make_target(pair), 3, is_proven=False)
    assert {type(outcome) for outcome in outcomes} == {UserMistake}
    assert [len(server.bodies) for server in pair] == [1, 1]


def list_names(*names: str) -> Reply:
    return Reply({"data": [{"id": name, "owned_by": "vllm"} for name in names]})


@pytest.mark.parametrize("listed", [DROPPED, error(401, "wrong key")])
def test_an_address_that_cannot_be_asked_at_the_start_is_left_alone(
    pair: list[FakeEndpoint], listed: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on with the other, and says so once."""
    pair[0].models, pair[1].models = listed, list_names("m")
    outcomes = ask_all(make_target(pair), 10, patience=replace(PATIENCE, probe_seconds=30), is_checked=True)
    assert_all_answered(outcomes, 10)
    assert pair[0].bodies == []
    assert capsys.readouterr().out.count(f"{pair[0].url} is left alone") == 1


def test_no_address_that_can_be_asked_is_the_user_s_mistake(pair: list[FakeEndpoint]) -> None:
    """As with one address."""
    for server in pair:
        server.models = DROPPED
    with pytest.raises(UserMistake, match=r"nothing answers at .*none of the other addresses can be asked"):
        ask_all(make_target(pair), 1, is_checked=True)


def test_an_address_that_serves_another_model_is_refused_by_name(pair: list[FakeEndpoint]) -> None:
    """Before any question, wherever it stands in the list."""
    pair[0].models, pair[1].models = list_names("m"), list_names("n")
    with pytest.raises(UserMistake, match=rf"at {pair[1].url} serves 'n', and not 'm' as {pair[0].url} does: fix its address"):
        ask_all(make_target(pair), 1, is_checked=True)
    assert count_asked(pair) == {}


def test_an_address_that_comes_back_with_another_model_gets_nothing(pair: list[FakeEndpoint]) -> None:
    """A node was given to somebody else."""
    pair[0].models = list_names("m")
    pair[0].rule = after(5, DROPPED)

    def answer(body: dict[str, Any]) -> Reply:
        pair[0].models = list_names("n")
        pair[0].rule = answer_by_rule if len(pair[1].bodies) > 40 else pair[0].rule
        return answer_by_rule(body)

    pair[1].rule, pair[1].models = answer, list_names("m")
    assert_all_answered(ask_all(make_target(pair), 120, is_checked=True), 120)
    assert len(pair[0].bodies) <= 5 + PATIENCE.attempts + 8


def test_adding_and_removing_addresses_keeps_every_answer(evaluation: Evaluation) -> None:
    """No id depends on where a model is."""
    with FakeEndpoint() as other:
        setting = "model.generator_settings.base_url"
        assert_own_answers(evaluation.run({setting: [evaluation.endpoint.url, other.url]}))
        assert min(len(evaluation.endpoint.bodies), len(other.bodies)) > 0
        asked = len(evaluation.endpoint.bodies) + len(other.bodies)
        assert asked == 40
        other.forget()
        assert_own_answers(evaluation.run({setting: [other.url, "http://127.0.0.1:9/v1 0.5"]}, run_id="second"))
        assert_own_answers(evaluation.run({setting: other.url}, run_id="third"))
        assert (evaluation.endpoint.bodies, other.bodies) == ([], [])


def test_a_run_that_loses_an_address_loses_no_answer(evaluation: Evaluation) -> None:
    """Every question is asked until it is answered, recorded once, and scored right."""
    with FakeEndpoint() as other:
        evaluation.endpoint.rule = after(10, DROPPED)
        assert_own_answers(evaluation.run({"model.generator_settings.base_url": [evaluation.endpoint.url, other.url]}))
        assert set(other.asked().values()) == {1}


def test_the_report_shows_what_each_address_did(evaluation: Evaluation) -> None:
    """Requests, failures and how long a reply took; nothing of it where there is one address."""
    with FakeEndpoint() as other:
        evaluation.endpoint.rule = after(0, DROPPED)
        changed = {"model.generator_settings.base_url": [evaluation.endpoint.url, f"{other.url}?key=sk-secret"]}
        with evaluation.open({**changed, "processing.parallel_workers": 1}, run_id="first") as run:
            for batch in run.batches.list_open():
                run.score(batch)
            rows = list_traffic(run.traffic)
            report(run, {})
            lines = [line for line in run.progress.lines if "requests, " in line]
        failed = str(len(evaluation.endpoint.bodies))
        assert [(row["Address"], row["Requests"], row["Failed"]) for row in rows] == [
            (evaluation.endpoint.url, failed, failed),
            (f"{other.url}?key=***", "40", "0"),
        ]
        assert rows[0]["Mean time of a reply"] == "no reply"
        assert rows[1]["Mean time of a reply"].endswith("ms")
        assert lines[0] == f"   {evaluation.endpoint.url} (generator): {failed} requests, {failed} failed, no reply"
    with evaluation.open({}, run_id="second") as run:
        assert run.traffic == []


def test_a_run_that_loses_all_addresses_is_saved_and_continued(evaluation: Evaluation) -> None:
    """At another address; what was answered is not asked again."""
    changed = {"model.generator_settings.base_url": [evaluation.endpoint.url, "http://127.0.0.1:9/v1"]}
    evaluation.endpoint.rule = after(15, DROPPED)
    with pytest.raises(UnfinishedBatch, match="none of the 2 addresses is left"):
        evaluation.run({**changed, "processing.max_outage_seconds": 0})
    with FakeEndpoint() as other:
        assert_own_answers(evaluation.run({"model.generator_settings.base_url": other.url}, run_id="second"))
        assert len(other.bodies) == 40 - 15


MODEL = "questions_file: exam.json\nmodel: {{generator: {{generator_type: vllm}}, generator_settings: {{model: m, {}}}}}\n"


@pytest.mark.parametrize(
    ("setting", "urls"),
    [
        ("base_url: ['http://a/v1', 'http://b/v1 2.5']", [("http://a/v1", 1.0), ("http://b/v1", 2.5)]),
        ("base_url: ['http://a/v1']", [("http://a/v1", 1.0)]),
        ("server: [a, 'b:8001', '[::1]', '[::1]:9 2'], port: 7", [
            ("http://a:7/v1", 1.0), ("http://b:8001/v1", 1.0), ("http://[::1]:7/v1", 1.0), ("http://[::1]:9/v1", 2.0)
        ]),
        ("server: [a, b]", [("http://a:8000/v1", 1.0), ("http://b:8000/v1", 1.0)]),
    ],
)  # fmt: skip
def test_addresses_are_written_as_a_list(folder: Path, setting: str, urls: list[tuple[str, float]]) -> None:
    """Each with its weight behind it; servers with their ports."""
    (folder / "config.yaml").write_text(MODEL.format(setting))
    generator, _ = find_endpoints(load_config("config.yaml", Overrides()), folder, KeyReader({}, str))
    assert [(each.base_url, each.weight) for each in generator.addresses] == urls


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("base_url: []", "base_url: the list of addresses is empty"),
        ("base_url: ['http://a/v1', 'http://a/v1/']", "base_url: 'http://a/v1' stands there twice"),
        ("base_url: ['http://a/v1', 7]", "base_url: one address, or a list of addresses, was expected"),
        ("base_url: {a: b}", "base_url: one address, or a list of addresses, was expected"),
        ("base_url: ['http://a/v1 0']", "'http://a/v1': only its weight may follow an address"),
        ("base_url: ['http://a/v1 sk-secret']", "'http://a/v1': only its weight may follow an address"),
        ("base_url: ['http://a/v1 1 2']", "only its weight may follow an address"),
        ("server: [a, '']", "an address is empty"),
        ("base_url: ['sk-1234567']", "base_url: this is no address"),
        ("base_url: ['http://a/v1', ' ']", "base_url: an address is empty"),
        ("server: []", "server: the list of addresses is empty"),
    ],
)
def test_a_mistake_in_a_list_of_addresses_is_one_message(folder: Path, setting: str, message: str) -> None:
    """It names the setting, and repeats nothing that may be a key."""
    (folder / "config.yaml").write_text(MODEL.format(setting))
    with pytest.raises(UserMistake) as caught:
        load_config("config.yaml", Overrides())
    assert message in str(caught.value)
    assert "sk-" not in str(caught.value)


def test_a_model_server_may_have_several_addresses(folder: Path) -> None:
    """As the generator, as the grader, and for a generator that grades itself."""
    write_config(folder, "http://a/v1")
    servers = [{"shortname": "many", "openai_api_base": ["http://a/v1", "http://b/v1"], "openai_model": "m"}]
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": servers}))
    for overrides in ({"model": "many", "grader": "self"}, {"grader": "many"}):
        config = load_config("config.yaml", Overrides.model_validate(overrides))
        generator, grader = find_endpoints(config, folder, KeyReader({"FAKE_KEY": "sk-1"}, str))
        assert grader
        assert [each.base_url for each in grader.addresses] == ["http://a/v1", "http://b/v1"]
        assert {each.role for each in grader.addresses} == {"grader"}
    assert len(generator.addresses) == 1


@pytest.mark.parametrize(
    ("processing", "workers"),
    [({}, 1), ({"parallel_per_server": 32}, 96), ({"parallel_per_server": 32, "parallel_workers": 8}, 8)],
)
def test_the_workers_are_those_of_all_servers(processing: dict[str, int], workers: int) -> None:
    """Where their number is left out."""
    assert Processing.model_validate(processing).count_workers(3) == workers
