"""Addresses that come and go while questions are asked, as the file that lists them says."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import Declined, EndpointStop
from tests.support.addresses import (
    DROPPED,
    PATIENCE,
    ask_all,
    assert_all_answered,
    at_question,
    count_asked,
    decline,
    list_names,
    make_file_target,
    write_addresses,
)
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, error, wait_until


def test_an_address_that_is_added_gets_its_share(pair: list[FakeEndpoint], listed: Path) -> None:
    """After a look at it; what is in flight does not wait for it."""
    write_addresses(listed, pair[0])

    def add_other() -> None:
        write_addresses(listed, *pair)
        wait_until(lambda: len(pair[1].bodies) > 5)

    pair[0].rule, pair[0].delay_seconds = at_question(3, add_other), 0.01
    assert_all_answered(ask_all(make_file_target(listed), 200), 200)
    assert set(count_asked(pair).values()) == {1}


def test_an_address_that_is_removed_gets_nothing_more(pair: list[FakeEndpoint], listed: Path) -> None:
    """What was in flight there ends there, or is asked elsewhere if its server ends first."""
    write_addresses(listed, *pair)
    gone: list[int] = []

    def leave(body: dict[str, Any]) -> Reply:
        write_addresses(listed, pair[1])
        wait_until(lambda: len(pair[1].bodies) > 30)
        gone.append(len(pair[0].bodies))
        return DROPPED if len(gone) % 2 else answer_by_rule(body)

    pair[0].rule = leave
    pair[1].delay_seconds = 0.01
    assert_all_answered(ask_all(make_file_target(listed), 60), 60)
    assert len(pair[0].bodies) == 4
    assert count_asked(pair).total() == 60 + 2


def test_what_a_removed_address_declines_is_asked_elsewhere(
    pair: list[FakeEndpoint], listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if no other is listed at that moment."""
    write_addresses(listed, pair[0])

    def end(body: dict[str, Any]) -> Reply:
        listed.write_text("")
        wait_until(lambda: ": 0 addresses now; removed" in capsys.readouterr().out)
        threading.Timer(0.1, write_addresses, (listed, pair[1])).start()
        return error(400, "shutting down")

    pair[0].rule = end
    assert_all_answered(ask_all(make_file_target(listed), 5, workers=1), 5)
    assert len(pair[0].bodies) == 1


def test_an_address_may_come_back(pair: list[FakeEndpoint], listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it was left alone for: another server may be there now."""
    write_addresses(listed, *pair)
    pair[0].admits = lambda _: False

    def replace_first(body: dict[str, Any]) -> Reply:
        wait_until(lambda: pair[0].refused_count > 0)
        write_addresses(listed, pair[1])
        pair[1].rule = at_question(20, bring_back)
        return answer_by_rule(body)

    def bring_back() -> None:
        wait_until(lambda: "removed" in capsys.readouterr().out)
        pair[0].admits = lambda _: True
        write_addresses(listed, *pair)
        wait_until(lambda: len(pair[0].bodies) > 3)

    pair[1].rule, pair[1].delay_seconds = replace_first, 0.01
    assert_all_answered(ask_all(make_file_target(listed), 100, workers=2), 100)


def test_an_address_that_is_added_with_another_model_gets_nothing(pair: list[FakeEndpoint], listed: Path) -> None:
    """It is compared with the first, also if that one is not there any more."""
    pair[0].models, pair[1].models = list_names("m"), list_names("n")
    write_addresses(listed, pair[0])
    pair[0].rule = at_question(3, lambda: write_addresses(listed, *pair))
    assert_all_answered(ask_all(make_file_target(listed), 40, is_checked=True), 40)
    assert pair[1].bodies == []


def test_a_file_without_addresses_stops_the_run_in_the_end(pair: list[FakeEndpoint], listed: Path) -> None:
    """After `max_outage_seconds`; what was in flight then still counts."""
    write_addresses(listed, pair[0])
    pair[0].rule = at_question(3, lambda: listed.write_text(""))
    outcomes = ask_all(make_file_target(listed), 40, workers=1, patience=replace(PATIENCE, max_outage_seconds=0.3))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds[:3] == [Answer] * 3
    assert kinds[-1] is EndpointStop
    assert str(outcomes[-1]) == f"{listed} has listed no address for 0 s"


def test_a_question_that_the_only_address_declines_is_refused(pair: list[FakeEndpoint], listed: Path) -> None:
    """No address is waited for that is not listed."""
    write_addresses(listed, pair[0])
    pair[0].rule = decline(3)
    outcomes = ask_all(make_file_target(listed), 4)
    assert [type(outcome) for outcome in outcomes] == [Answer, Answer, Declined, Answer]
