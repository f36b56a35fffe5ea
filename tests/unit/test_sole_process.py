"""Which of two processes of one run leaves it to the other."""

from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import State
from prefect.states import AwaitingRetry, Crashed, Pending, Running

from flows.opening.sole_process import was_begun_twice

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RETRIED: tuple[State[None], ...] = (Pending(), Crashed(), AwaitingRetry(), Pending(), Running())


@pytest.mark.parametrize(("states", "is_left"), [((*RETRIED, Running()), True), (RETRIED, False), ((Running(),), False)])
def test_only_a_process_that_begins_beside_a_running_one_leaves(states: "tuple[State[None], ...]", is_left: bool) -> None:
    """Not the process of a retry or a resume whose predecessor does not end, which is an error to be seen."""
    states_newest_first = [
        state.model_copy(update={"timestamp": NOON + timedelta(seconds=second)})
        for second, state in reversed(list(enumerate(states)))
    ]
    assert was_begun_twice(states_newest_first) == is_left
