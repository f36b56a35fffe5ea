"""A large checkpoint stands for the run's own copy of its results: they are on the disk once, and come back as they were."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.storage.checkpoint_writer import SHARED_FROM_BYTES, CheckpointWriter
from tasks.evaluation.storage.placed_spool import PlacedSpool

NOW = datetime(2026, 11, 23, 14, 30, 22)  # noqa: DTZ001
# Five of them are as much as is kept on the disk once.
LONG = "x" * (SHARED_FROM_BYTES // 5)


@pytest.fixture
def results(tmp_path: Path) -> Iterator[PlacedSpool]:
    with closing(PlacedSpool(tmp_path, 20)) as spool:
        yield spool


@pytest.fixture
def writer(tmp_path: Path, results: PlacedSpool) -> CheckpointWriter:
    return CheckpointWriter(tmp_path, "checkpoint_exam_m", results, lambda _: {}, {})


def make_line(position: int) -> bytes:
    return b'{"question_id":%d,"text":"%s"}' % (position + 1, LONG.encode())


def put(results: PlacedSpool, *positions: int) -> None:
    for position in positions:
        results.put(position, make_line(position))


def count_unnamed_bytes(folder: Path) -> int:
    """Return how much of the disk this process's files below the folder use that have lost their names."""
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    found = {str(path.readlink()): path for path in links if path.exists()}
    return sum(path.stat().st_blocks * 512 for name, path in found.items() if str(folder) in name and "(deleted)" in name)


def test_saved_results_are_on_the_disk_once(tmp_path: Path, results: PlacedSpool, writer: CheckpointWriter) -> None:
    """And later ones until they are saved as well."""
    put(results, 3, 1, 4, 0, 5)
    writer.save(NOW)
    assert count_unnamed_bytes(tmp_path) == 0
    put(results, 9)
    assert len(LONG) <= count_unnamed_bytes(tmp_path) < 2 * len(LONG)
    assert [results.read(position) for position in (3, 5, 9)] == [make_line(position) for position in (3, 5, 9)]


def test_the_next_checkpoint_holds_both(tmp_path: Path, results: PlacedSpool, writer: CheckpointWriter) -> None:
    """What the last one holds, and what has come since."""
    put(results, 3, 1, 4, 0, 5)
    writer.save(NOW)
    put(results, 9, 2)
    writer.save(NOW)
    put(results, 6)
    writer.save(NOW)
    saved = json.loads((tmp_path / "latest.json").read_text())["results"]
    assert [result["question_id"] for result in saved] == [4, 2, 5, 1, 6, 10, 3, 7]
    assert {result["text"] for result in saved} == {LONG}


def test_a_removed_checkpoint_is_still_read(tmp_path: Path, results: PlacedSpool, writer: CheckpointWriter) -> None:
    """Its name is gone, its bytes are not: the next save writes them again."""
    put(results, 3, 1, 4, 0, 5)
    writer.save(NOW)
    (tmp_path / "latest.json").resolve().unlink()
    put(results, 9)
    writer.save(NOW)
    assert json.loads((tmp_path / "latest.json").read_text())["completed_count"] == 6


@pytest.mark.parametrize("change", [lambda _: b"{}", lambda old: old.replace(b"2026", b"2025")], ids=["shorter", "as long"])
def test_a_checkpoint_that_is_overwritten_stops_the_run(
    tmp_path: Path, results: PlacedSpool, writer: CheckpointWriter, change: Callable[[bytes], bytes]
) -> None:
    """Nothing of it is taken for the run's results any more."""
    put(results, 3, 1, 4, 0, 5)
    writer.save(NOW)
    latest = tmp_path / "latest.json"
    latest.write_bytes(change(latest.read_bytes()))
    put(results, 9)
    with pytest.raises(StorageFailure, match="overwritten the run's checkpoint"):
        writer.save(NOW)
    with pytest.raises(StorageFailure, match="overwritten the run's checkpoint"):
        results.read(3)
    assert results.read(9) == make_line(9)


def test_a_small_run_depends_on_no_checkpoint(tmp_path: Path, results: PlacedSpool, writer: CheckpointWriter) -> None:
    """Whatever is done to the file, the next one is right."""
    put(results, 3)
    writer.save(NOW)
    (tmp_path / "latest.json").write_text("{}")
    put(results, 9)
    writer.save(NOW)
    assert json.loads((tmp_path / "latest.json").read_text())["completed_indices"] == [4, 10]
