"""What the worker of `mcqa serve` makes of a cancelled run's states."""

from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import State
from prefect.states import AwaitingRetry, Cancelled, Cancelling, Completed, Crashed, Running

from flows.serving.worker import HEARD, find_begin, find_replaced, has_ended

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SAVED, REPORT = "40 of 120 scored. Retry asks what is missing", "Flow run was cancelled successfully."


def follow(*states: "State[None]") -> list[State]:
    """Return the states a second apart from each other, the newest first."""
    return [
        state.model_copy(update={"timestamp": NOON + timedelta(seconds=second)})
        for second, state in reversed(list(enumerate(states)))
    ]


def test_a_run_begins_when_the_last_cancellation_is_no_longer_heard() -> None:
    twice_cancelled = follow(Running(), Cancelling(), Cancelled(), Running(), Cancelling())
    now = NOON + timedelta(seconds=9)
    assert find_begin(twice_cancelled, now=now) == NOON + timedelta(seconds=4) + HEARD
    assert find_begin(follow(Running(), Crashed(), AwaitingRetry()), now=now) < NOON
    assert find_begin([], now=now) < NOON


def test_a_server_whose_clock_is_ahead_delays_a_run_no_longer_than_its_cancellation_is_heard() -> None:
    cancelled = follow(Running(), Cancelling())
    assert find_begin(cancelled, now=NOON - timedelta(hours=1)) == NOON - timedelta(hours=1) + HEARD


@pytest.mark.parametrize(
    ("states", "is_replaced"),
    [
        ((Cancelling(), Cancelled(message=SAVED), Cancelled(message=REPORT)), True),
        ((Cancelling(), Cancelled(message=SAVED)), False),
        ((Cancelling(), Cancelled(message=REPORT)), False),
        ((Cancelled(message=SAVED), Cancelled(message=REPORT), AwaitingRetry()), False),
        ((Cancelled(message=SAVED), AwaitingRetry(), Cancelled(message=REPORT)), False),
        ((Cancelled(message="by hand"), Cancelled(message=REPORT)), False),
        ((Completed(message=SAVED), Cancelled(message=REPORT)), False),
        ((Cancelled(message=None), Cancelled(message=None)), False),
        ((), False),
    ],
)
def test_only_the_message_of_a_run_that_has_saved_is_put_back(states: "tuple[State[None], ...]", is_replaced: bool) -> None:
    replaced = find_replaced(follow(*states))
    assert (replaced.message if replaced else None) == (SAVED if is_replaced else None)


def test_an_end_counts_only_if_it_has_come_since() -> None:
    before = follow(Running(), Crashed(), AwaitingRetry())
    crash: State = Crashed()
    assert not has_ended(before, [*before, Running()])
    assert has_ended(before, [*before, Running(), crash])
    assert has_ended(before, [*before, Running(), crash, AwaitingRetry()])
    assert not has_ended([], [])
