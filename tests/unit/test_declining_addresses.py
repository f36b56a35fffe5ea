"""Several addresses of one model, some of which decline a question, or every one."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import Declined, UserMistake
from tests.support.addresses import (
    DROPPED,
    PATIENCE,
    after,
    ask_all,
    assert_all_answered,
    count_asked,
    decline,
    list_names,
    make_target,
)
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, error, prompt_of, wait_until


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


def test_what_one_of_three_addresses_answers_is_not_refused(pair: list[FakeEndpoint]) -> None:
    """Though the two that were asked first decline it."""
    with FakeEndpoint() as third:
        pair[0].rule = pair[1].rule = decline(3)
        assert_all_answered(ask_all(make_target([*pair, third], (1, 1, 0.001)), 6, workers=1), 6)
        assert count_asked([*pair, third])["Question 3"] == 3


def test_a_declined_question_waits_for_an_address_that_is_out(pair: list[FakeEndpoint]) -> None:
    """The others do not wait with it, though there is only one worker."""
    pair[0].rule = decline(3)
    pair[1].models, pair[1].rule = DROPPED, after(0, DROPPED)

    def come_back(body: dict[str, Any]) -> Reply:
        if prompt_of(body) == "Question 12":
            pair[1].models, pair[1].rule = list_names("m"), answer_by_rule
        return decline(3)(body)

    pair[0].rule = come_back
    assert_all_answered(ask_all(make_target(pair), 12, workers=1), 12)
    assert pair[0].asked()["Question 3"] == 1


def test_a_declined_question_does_not_wait_for_an_address_that_is_given_up(pair: list[FakeEndpoint]) -> None:
    """It is out for longer than `max_outage_seconds`, or does not accept the key."""
    for broken in ({"models": DROPPED, "rule": after(0, DROPPED)}, {"admits": lambda _: False}):
        pair[0].rule = decline(3)
        with FakeEndpoint() as other:
            vars(other).update(broken)
            outcomes = ask_all(make_target([pair[0], other]), 6, patience=replace(PATIENCE, max_outage_seconds=0.2))
        assert [type(outcome) for outcome in outcomes] == [Answer, Answer, Declined, Answer, Answer, Answer]


def test_an_answer_between_what_others_answer_keeps_an_address(pair: list[FakeEndpoint]) -> None:
    """It declines many questions, and never three in a row."""
    pair[0].rule = lambda body: decline(*range(1, 60, 2))(body) if len(pair[0].bodies) % 3 else answer_by_rule(body)
    assert_all_answered(ask_all(make_target(pair, (1, 0.001)), 60, workers=1), 60)
    assert pair[0].asked()["Question 60"] == 1


def test_one_address_that_declines_everything_is_no_mistake_of_the_user(pair: list[FakeEndpoint]) -> None:
    """Though it has declined three questions before the other one answers its first."""
    pair[0].rule = after(0, error(400, "this model takes no temperature"))

    def answer_late(body: dict[str, Any]) -> Reply:
        wait_until(lambda: len(pair[0].bodies) == 3)
        return answer_by_rule(body)

    pair[1].rule = answer_late
    assert_all_answered(ask_all(make_target(pair), 20, is_proven=False), 20)


@pytest.mark.parametrize("is_out", [True, False])
def test_what_all_addresses_that_answer_decline_at_first_is_the_users_mistake(
    pair: list[FakeEndpoint], *, is_out: bool
) -> None:
    """Nobody waits for an address that is out."""
    pair[0].rule = pair[1].rule = after(0, error(400, "this model takes no temperature"))
    if is_out:
        pair[1].models, pair[1].rule = DROPPED, after(0, DROPPED)
    outcomes = ask_all(make_target(pair), 20, is_proven=False, is_checked=True)
    assert {type(outcome) for outcome in outcomes} == {UserMistake}
    assert [len(server.bodies) for server in pair] == [3, 0 if is_out else 3]
