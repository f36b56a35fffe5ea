"""The answer log: what is appended is there, a torn line costs itself alone, and nothing needed is removed."""

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.json_lines import to_line
from tasks.evaluation.storage import answer_log
from tasks.evaluation.storage.answer_log import AnswerLog, list_segments, read_segment
from tests.support.limited_files import files_limited_to

IO_ERROR = OSError(errno.EIO, os.strerror(errno.EIO))


@contextmanager
def open_log(folder: Path, writer: str = "w", *, sync_at_once: bool = True, is_complete: bool = False) -> Iterator[AnswerLog]:
    log = AnswerLog(folder, writer, sync_at_once=sync_at_once)
    try:
        yield log
    finally:
        log.close(is_complete=is_complete)


def record(number: int) -> bytes:
    return to_line({"kind": "answer", "n": number})


def read_numbers(folder: Path) -> list[object]:
    return [each and each["n"] for path in list_segments(folder) for each in read_segment(path)]


def test_who_waits_no_more_stops_no_fsync(tmp_path: Path) -> None:
    """A question that is cancelled while its record waits; the later ones are fsynced as before."""
    with open_log(tmp_path, sync_at_once=False) as log:
        log.append(record(1), position=0).result(timeout=10)
        assert not log.append(record(2), position=1).cancel()
        log.append(record(3), position=2).result(timeout=10)


def test_a_record_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    """Killing the process after it loses nothing."""
    with open_log(tmp_path, sync_at_once=False) as log:
        log.append(record(1), position=0)
        assert read_numbers(tmp_path) == [1]


def test_the_future_is_done_when_the_record_is_fsynced(tmp_path: Path) -> None:
    """What save_incremental waits for."""
    with open_log(tmp_path) as log:
        assert log.append(record(1), position=0).result(timeout=10) is None


def test_a_torn_last_line_is_no_record(tmp_path: Path) -> None:
    """What a crash cut off is passed over, and the lines before it are kept."""
    (tmp_path / "w-000001.jsonl").write_bytes(record(1) + b"\n" + record(2)[:-3])
    assert read_numbers(tmp_path) == [1]


def test_a_bad_line_costs_that_record_alone(tmp_path: Path) -> None:
    """It differs from the end."""
    (tmp_path / "w-000001.jsonl").write_bytes(record(1) + b"\n\x00\xff\n[]\n" + record(2) + b"\n")
    assert read_numbers(tmp_path) == [1, None, None, 2]


def test_a_write_that_does_not_fit_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    """On a full disk the record before is whole, and later ones are whole again."""
    with open_log(tmp_path) as log:
        log.append(record(1), position=0)
        with files_limited_to(len(record(1)) + 10), pytest.raises(StorageFailure, match="answer log"):
            log.append(record(2), position=1)
        log.append(record(3), position=2)
        assert read_numbers(tmp_path) == [1, 3]


def test_nothing_follows_a_part_of_a_record(tmp_path: Path) -> None:
    """Where the part can be neither completed nor removed, the log has failed for good: the record after it would be lost."""
    with open_log(tmp_path) as log:
        log.append(record(1), position=0)
        full, no_truncation = files_limited_to(len(record(1)) + 10), mock.patch.object(os, "ftruncate", side_effect=IO_ERROR)
        with full, no_truncation, pytest.raises(StorageFailure):
            log.append(record(2), position=1)
        with pytest.raises(StorageFailure, match="Input/output error; make room or fix"):
            log.append(record(3), position=2)
    assert read_numbers(tmp_path) == [1]


def test_a_failed_fsync_is_final(tmp_path: Path) -> None:
    """The kernel may have dropped what it could not write, and a second fsync would not tell: nothing more is kept."""
    with open_log(tmp_path) as log:
        with mock.patch.object(os, "fsync", side_effect=IO_ERROR):
            synced = log.append(record(1), position=0)
            with pytest.raises(StorageFailure, match="cannot fsync the answer log"):
                synced.result(timeout=10)
        with pytest.raises(StorageFailure, match="cannot fsync the answer log"):
            log.append(record(2), position=1)
        assert log.failure


@pytest.mark.parametrize("remove", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("elsewhere"))])
def test_a_log_that_has_vanished_keeps_nothing(tmp_path: Path, remove: Callable[[Path], object]) -> None:
    """A removed file takes bytes like any other, and nobody would ever read them."""
    folder = tmp_path / "answers"
    with open_log(folder) as log:
        log.append(record(1), position=0).result(timeout=10)
        remove(folder)
        with pytest.raises(StorageFailure, match="No such file or directory; make room or fix the folder"):
            log.append(record(2), position=1)


def test_a_slow_fsync_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the change of segments either: records are taken while the disk takes its time, and are durable after it."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", 2)
    fsync, goes_on = os.fsync, threading.Event()

    def fsync_slowly(descriptor: int) -> None:
        assert goes_on.wait(20)
        fsync(descriptor)

    with open_log(tmp_path) as log, mock.patch.object(os, "fsync", fsync_slowly):
        waiting = [log.append(record(number), position=number) for number in range(7)]
        assert read_numbers(tmp_path) == list(range(7))
        assert not any(each.done() for each in waiting)
        goes_on.set()
        assert [each.result(timeout=10) for each in waiting] == [None] * 7


def test_a_full_segment_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds a bounded number of records."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", 2)
    with open_log(tmp_path) as log:
        for number in range(5):
            log.append(record(number), position=number)
        assert [len(list(read_segment(path))) for path in list_segments(tmp_path)] == [2, 2, 1]
        assert read_numbers(tmp_path) == [0, 1, 2, 3, 4]


def test_a_full_segment_goes_only_when_a_checkpoint_holds_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the last one stays until the evaluation is complete."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", 2)
    with open_log(tmp_path, is_complete=True) as log:
        for number in range(5):
            log.append(record(number), position=number).result(timeout=10)
        log.release([0, 2, 3, 4])
        assert read_numbers(tmp_path) == [0, 1, 4]
        log.release([1])
        assert read_numbers(tmp_path) == [4]
    assert read_numbers(tmp_path) == []


def test_an_incomplete_evaluations_segment_outlives_the_process(tmp_path: Path) -> None:
    """Though a checkpoint holds it: the log alone is enough to continue."""
    with open_log(tmp_path) as log:
        log.append(record(1), position=0)
        log.release([0])
    assert read_numbers(tmp_path) == [1]


def test_what_no_checkpoint_holds_is_never_removed(tmp_path: Path) -> None:
    """Even at the end of a complete evaluation."""
    with open_log(tmp_path, is_complete=True) as log:
        log.append(record(1), position=0)
    assert read_numbers(tmp_path) == [1]


def test_a_living_writers_segment_is_left_alone(tmp_path: Path) -> None:
    """Even when another run's checkpoint holds all of it."""
    with open_log(tmp_path, "other") as other:
        other.append(record(1), position=0)
        with open_log(tmp_path, "mine", is_complete=True) as log:
            log.adopt(list_segments(tmp_path)[0], [0], record_count=1)
            log.release([0])
        assert read_numbers(tmp_path) == [1]
