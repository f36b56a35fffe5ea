"""What asking several times would reach is estimated without bias."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.statistics.repeats import pass_at


@given(st.integers(1, 7), st.data())
def test_it_is_the_share_of_draws_that_hold_a_right_answer(repeats: int, data: st.DataObject) -> None:
    """By drawing in every way there is."""
    k = data.draw(st.integers(1, repeats))
    right = data.draw(st.integers(0, repeats))
    draws = list(combinations([answer < right for answer in range(repeats)], k))
    assert pass_at(np.array([right]), repeats, k) == pytest.approx(sum(map(any, draws)) / len(draws), abs=1e-12)


def test_the_mean_is_over_questions() -> None:
    """Of three answers each: always, once and never right."""
    right_counts = np.array([3, 1, 0])
    assert pass_at(right_counts, 3, 1) == pytest.approx(4 / 9)
    assert pass_at(right_counts, 3, 2) == pytest.approx((1 + 2 / 3) / 3)
    assert pass_at(right_counts, 3, 3) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("right_counts", "k"), [([1], 0), ([1], 4), ([], 1)])
def test_what_cannot_be_drawn_is_an_error(right_counts: list[int], k: int) -> None:
    """No answer, more than there are, or no question."""
    with pytest.raises(ValueError, match="no pass@"):
        pass_at(np.array(right_counts, dtype=np.int64), 3, k)
