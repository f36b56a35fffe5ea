"""Several addresses of one model: they share the requests, and one that fails costs no question."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import EndpointFailure, EndpointStop, UnfinishedBatch, UserMistake
from tasks.evaluation.reporting.tables import list_traffic
from tasks.evaluation.run.report import report
from tests.support.addresses import (
    DROPPED,
    PATIENCE,
    after,
    ask_all,
    assert_all_answered,
    count_asked,
    list_names,
    make_target,
    until,
)
from tests.support.evaluation import Evaluation, assert_own_answers
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, error, prompt_of, wait_until


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


def test_an_address_that_hangs_before_the_first_answer_holds_one_worker(pair: list[FakeEndpoint]) -> None:
    """The others are answered elsewhere, and it gets no second request before it has answered the first."""
    all_others = [f"Question {number}" for number in range(2, 41)]

    def hang(body: dict[str, Any]) -> Reply:
        wait_until(lambda: set(all_others) <= set(pair[1].asked()))
        return answer_by_rule(body)

    pair[0].rule = hang
    assert_all_answered(ask_all(make_target(pair), 40, is_proven=False), 40)
    assert pair[0].most_in_flight == 1


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
