"""`mcqa checkpoints prune`: what may go, and what stays."""

import shutil

import pytest

from tests.support.saved_checkpoints import ORIGINAL, hold_lock, names, point_latest_at, run, run_json, save

pytestmark = pytest.mark.usefixtures("checkpoint_folder")


def test_prune_keeps_the_newest_of_each_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    """And says what is gone, and how much space that frees."""
    oldest = save(1, hour=6)
    save(2, hour=7)
    save(2, hour=8, limit=10)
    save(3, hour=9)
    size_bytes = oldest.stat().st_size
    pruned = run_json(capsys, "prune", "--keep", "2")
    assert pruned == {
        "removed": [{"file": str(oldest), "size_bytes": size_bytes}],
        "freed_bytes": size_bytes,
        "kept_count": 3,
        "running_count": 0,
    }
    assert [name[-11:-5] for name in names()] == ["070000", "080000", "090000"]


def test_prune_never_touches_the_originals(capsys: pytest.CaptureFixture[str]) -> None:
    """They name no evaluation, so none is known to be superfluous."""
    shutil.copy(ORIGINAL, "checkpoints/checkpoint_a.json")
    shutil.copy(ORIGINAL, "checkpoints/checkpoint_b.json")
    assert run(capsys, "prune", "--keep", "1") == (0, "Removed: 0 checkpoints, which frees 0 B. Kept: 2\n")
    assert names() == ["checkpoint_a.json", "checkpoint_b.json"]


def test_prune_keeps_what_latest_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Though newer ones of its evaluation are there."""
    save(1, hour=7)
    named = save(2, hour=8)
    save(3, hour=9)
    point_latest_at(named)
    run(capsys, "prune", "--keep", "1")
    assert [name[-11:-5] for name in names()] == ["080000", "090000"]


def test_prune_keeps_what_holds_more_than_the_newer_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was resumed from an older file on purpose has passed over these answers."""
    save(1, hour=6)
    save(9, hour=7)
    save(2, hour=8)
    save(3, hour=9)
    run(capsys, "prune", "--keep", "1")
    assert [name[-11:-5] for name in names()] == ["070000", "090000"]


def test_prune_leaves_a_run_alone_that_is_still_going(capsys: pytest.CaptureFixture[str]) -> None:
    """Until its lock is free."""
    save(1, hour=8)
    newest = save(2, hour=9)
    with hold_lock(newest):
        code, printed = run(capsys, "prune", "--keep", "1")
        assert (code, len(names())) == (0, 2)
        assert "Left alone, because a run is still going: 2 checkpoints" in printed
    run(capsys, "prune", "--keep", "1")
    assert names() == [newest.name]
