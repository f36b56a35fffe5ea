"""Tokens: what endpoints say is read as it comes, added up over replies, and never more than what they said."""

import pytest

from tasks.evaluation.spending.tokens import TokenSum, TokenTable, describe_sums
from tasks.evaluation.spending.usage import Usage, add_usage, read_usage

REPLY: Usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}


@pytest.mark.parametrize(
    ("reported", "counts"),
    [
        (REPLY, REPLY),
        (None, {}),
        ([1], {}),
        ({"total_tokens": 10**400}, {}),
        ({"prompt_tokens": "10", "completion_tokens": -1, "total_tokens": True}, {}),
        ({"total_tokens": 12, "prompt_tokens_details": None}, {"total_tokens": 12}),
        (
            {"total_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 0}},
            {"total_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 7}},
        ),
        ({"total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 0}}, {"total_tokens": 12}),
    ],
)
def test_counts_are_read_and_nothing_else(reported: object, counts: Usage) -> None:
    """Details that are zero are left out: they would double the record."""
    assert read_usage(reported) == counts


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (REPLY, REPLY, {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}),
        (REPLY, {}, REPLY),
        ({}, REPLY, REPLY),
        (
            {"details": {"cached_tokens": 3}, "total_tokens": 1},
            {"details": {"cached_tokens": 4, "audio_tokens": 1}},
            {"details": {"cached_tokens": 7, "audio_tokens": 1}, "total_tokens": 1},
        ),
    ],
)
def test_replies_to_one_question_add_up(one: Usage, other: Usage, both: Usage) -> None:
    """A reply that says nothing of its cost takes nothing away."""
    assert add_usage(one, other) == both


def test_a_table_adds_up_the_positions_asked_for() -> None:
    """Generator and grader apart; a result that says nothing is not counted, a new one takes the old one's place."""
    table = TokenTable(5)
    table.note(0, {"usage": {"generator": REPLY, "grader": REPLY}})
    table.note(1, {"usage": {"generator": {"prompt_tokens": 5, "completion_tokens": 1}}})
    table.note(2, {"usage": {"generator": {}}, "skipped": True})
    table.note(3, {"usage": "much"})
    table.note(4, {"usage": {"generator": REPLY}})
    table.note(4, {"usage": {"generator": {"total_tokens": 10**15}}})
    assert table.add_up([0, 1, 2, 3]) == {"generator": TokenSum(15, 3, 18, counted=2), "grader": TokenSum(10, 2, 12, counted=1)}
    assert table.add_up([4])["generator"].total == 2**32 - 1
    assert table.add_up([]) == {"generator": TokenSum(), "grader": TokenSum()}


def test_an_estimate_is_the_mean_of_those_counted() -> None:
    """And no estimate if no reply said what it cost."""
    known = TokenSum(prompt=100, completion=30, total=130, counted=10)
    assert known.scale_to(25) == TokenSum(prompt=250, completion=75, total=325, counted=25)
    assert TokenSum().scale_to(25) is None


def test_the_sums_are_shown_by_endpoint() -> None:
    """A grader that has cost nothing is not shown; a generator that reports nothing is not shown as free."""
    paid = TokenSum(prompt=1000, completion=234, total=1234, counted=9)
    assert describe_sums({"generator": paid, "grader": TokenSum()}) == "generator 1,234 (1,000 prompt + 234 completion)"
    assert describe_sums({"generator": TokenSum(), "grader": paid}).startswith("generator none reported, grader 1,234")
    assert describe_sums({"generator": TokenSum(), "grader": TokenSum()}) == "none reported"
