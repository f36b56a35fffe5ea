"""What a run must show is checked where it ends."""

from pathlib import Path

import pytest

from flows.process.terminal import exit_code_of
from tasks.evaluation.errors import EndpointStop, GateFailed, StorageFailure, UserMistake
from tasks.evaluation.run.gates import check_gates, write_gates
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import make_questions, write_questions


def test_each_demand_is_checked_by_itself(evaluation: Evaluation, folder: Path) -> None:
    """Four of six are right: the accuracy passes, the lower end of its interval does not."""
    write_questions(folder, make_questions(6))
    demands = {"processing.fail_under": 0.6, "processing.fail_under_interval": 0.6}
    evaluation.run(demands)
    with evaluation.open(demands, run_id="again") as run:
        gates = check_gates(run)
    assert [gate.is_passed for gate in gates] == [True, False]
    assert "0.30 is under the 0.60 that fail_under_interval demands" in gates[1].message


def test_without_demands_there_is_nothing_to_pass(evaluation: Evaluation) -> None:
    """And no file is written."""
    with evaluation.open({}, run_id="open") as run:
        assert (check_gates(run), write_gates(run)) == ([], {})


def test_a_file_that_cannot_be_written_says_so(evaluation: Evaluation) -> None:
    """The scores are kept."""
    with (
        evaluation.open({"output.junit": "nowhere/gates.xml"}, run_id="open") as run,
        pytest.raises(StorageFailure, match=r"cannot write nowhere/gates\.xml: No such file .*every score is kept"),
    ):
        write_gates(run)


@pytest.mark.parametrize(("error", "code"), [(UserMistake("a"), 2), (GateFailed("b"), 3), (EndpointStop("c"), 1)])
def test_each_kind_of_end_has_its_exit_code(error: UserMistake | GateFailed | EndpointStop, code: int) -> None:
    """A script tells them apart."""
    assert exit_code_of(error) == code
