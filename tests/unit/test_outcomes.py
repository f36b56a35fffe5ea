"""How the benchmarks count what a kill has cost."""

import pytest

from tests.support.outcomes import Outcome, judge
from tests.support.quick_endpoint import Traffic

# As `quick_endpoint` answers the questions 1 to 4.
GIVEN = [(1, "B"), (2, "C"), (3, "D"), (4, "A")]


@pytest.mark.parametrize(
    ("answers", "lost", "doubled"),
    [
        (GIVEN, 0, 0),
        (GIVEN[1:], 1, 0),
        ([*GIVEN[:3], (4, "")], 1, 0),
        ([*GIVEN[:3], (4, "C")], 1, 0),
        ([*GIVEN, (2, "C"), (2, "C")], 0, 2),
    ],
    ids=["all", "one missing", "one without a letter", "another letter", "one there three times"],
)
def test_what_is_lost_or_there_twice_is_counted(answers: list[tuple[int, str]], lost: int, doubled: int) -> None:
    """An answer other than the one that was given is lost as well."""
    assert judge(answers, Traffic(requests=7, different=4), 4) == Outcome(asked_again=3, lost=lost, doubled=doubled)
