"""The error that a state holds, also where the state has lost it on its way over Prefect's server."""

import pytest
from prefect.exceptions import MissingResult
from prefect.states import Completed, Failed

from flows.ending.state_error import find_error
from tasks.evaluation.errors import GateFailed


def test_a_state_that_was_read_back_is_not_taken_for_a_failure() -> None:
    """Asked for its result, Prefect raises an error though the run has ended well."""
    with pytest.raises(MissingResult):
        Completed(message="Accuracy 0.5").result(raise_on_failure=False)
    assert find_error(Completed(message="Accuracy 0.5")) is None
    assert find_error(Failed(message="2 of 5 questions not scored")) is None


def test_an_error_of_ours_is_found_and_no_other() -> None:
    """Of these the command takes its exit code."""
    gate = GateFailed("0.5 is below 0.9")
    assert find_error(Failed(message=str(gate), data=gate)) is gate
    assert find_error(Failed(message="a bug", data=ValueError("a bug"))) is None
