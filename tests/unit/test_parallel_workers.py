"""The variable that sets how many questions are in flight: what it may hold, and what the log says."""

import pytest

from flows.asking.parallel_workers import WorkerCount, read_count


@pytest.mark.parametrize(("value", "count"), [(1, 1), (10_000, 10_000), ("16", 16), (" 16\n", 16)])
def test_a_whole_number_is_read(value: object, count: int) -> None:
    """As JSON, or as the text that the UI's form makes of it."""
    assert read_count(value) == count


@pytest.mark.parametrize("value", [0, -1, 10_001, 2.5, True, "", "many", "-3", "2.0", "²", "٣", "9" * 9_999, [4], {"count": 4}])
def test_anything_else_is_unusable(value: object) -> None:
    """A run goes on as it is then."""
    assert read_count(value) is None


def test_each_change_is_told() -> None:
    """With the number before, and where the new one comes from."""
    lines: list[str] = []
    count = WorkerCount(16, lines.append)
    assert [count.take(value) for value in (None, 4, 4, 32, None)] == [False, True, False, True, True]
    assert lines == [
        "Questions in flight: 4 instead of 16 (by the variable mcqa_parallel_workers; configured: 16)",
        "Questions in flight: 32 instead of 4 (by the variable mcqa_parallel_workers; configured: 16)",
        "Questions in flight: 16 instead of 32 (as configured)",
    ]


def test_an_unusable_value_changes_nothing_and_is_warned_of_once() -> None:
    """And again after it was mended in between."""
    lines: list[str] = []
    count = WorkerCount(16, lines.append)
    assert [count.take(value) for value in (4, "many", "many", 4, "many")] == [True, False, False, False, False]
    assert count.current == 4
    warning = (
        "⚠️ The variable mcqa_parallel_workers holds 'many', which is ignored: it must be a whole number from 1 to 10,000. "
        "Questions in flight: 4"
    )
    assert lines[1:] == [warning, warning]
