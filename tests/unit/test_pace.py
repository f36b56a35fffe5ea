"""The speed that a run's progress shows."""

import pytest

from tasks.evaluation.reporting.pace import Pace


def test_the_speed_is_that_of_the_last_minute() -> None:
    """A fast hour ago says nothing of the time left."""
    pace = Pace(0, 0.0)
    assert pace.measure(600, 60.0) == pytest.approx(10.0)
    assert pace.measure(630, 90.0) == pytest.approx(7.0)
    assert pace.measure(660, 120.0) == pytest.approx(1.0)
    assert pace.measure(660, 240.0) == pytest.approx(0.0)


def test_what_an_outage_interrupts_is_forgotten() -> None:
    """The first replies after it count alone."""
    pace = Pace(0, 0.0)
    pace.measure(100, 10.0)
    pace.restart(100, 500.0)
    assert pace.measure(130, 510.0) == pytest.approx(3.0)


def test_a_resumed_run_is_not_as_fast_as_what_it_found() -> None:
    """Questions that were done before it began do not count, and nothing is divided by no time."""
    pace = Pace(5_000, 0.0)
    assert pace.measure(5_000, 0.0) == 0.0
    assert pace.measure(5_010, 10.0) == pytest.approx(1.0)
