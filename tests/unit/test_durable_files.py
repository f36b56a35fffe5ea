"""Files that appear whole: written aside, made durable, then given their name."""

import errno
import os
from datetime import datetime
from pathlib import Path

import pytest

from tasks.evaluation.storage.durable_files import claim_time, replace_file, write_bytes, write_durably, write_pieces

NOON = datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - the documented times are local


def write_half(descriptor: int) -> None:
    write_bytes(descriptor, b"new, but")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Nothing else is left in the folder."""
    (tmp_path / "a.json").write_text("old")
    write_durably(tmp_path / ".a.tmp", lambda descriptor: write_bytes(descriptor, b"new"), replace_file(tmp_path / "a.json"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "new"}


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    """A full disk costs the new file alone, and leaves no half of it."""
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(OSError, match="No space left"):
        write_durably(tmp_path / ".a.tmp", write_half, replace_file(tmp_path / "a.json"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "old"}


def test_what_a_crash_has_left_is_not_written_through(tmp_path: Path) -> None:
    """A crash between link and unlink leaves a temporary file that is a published one's other name."""
    (tmp_path / "a.json").write_text("published")
    (tmp_path / ".a.tmp").hardlink_to(tmp_path / "a.json")
    write_durably(tmp_path / ".a.tmp", lambda descriptor: write_bytes(descriptor, b"new"), replace_file(tmp_path / "b.json"))
    assert (tmp_path / "a.json").read_text() == "published"
    assert (tmp_path / "b.json").read_text() == "new"


def test_a_time_that_is_taken_moves_on(tmp_path: Path) -> None:
    """Two files of one second have two names, and the first stays as it is."""
    (tmp_path / "exam_20261123_120000.json").write_text("first")
    stamp = write_durably(
        tmp_path / ".e.tmp", lambda descriptor: write_bytes(descriptor, b"2"), claim_time(tmp_path / "exam", NOON)
    )
    assert stamp == "20261123_120001"
    assert (tmp_path / "exam_20261123_120000.json").read_text() == "first"
    assert (tmp_path / "exam_20261123_120001.json").read_text() == "2"


def test_pieces_of_any_size_are_written_in_their_order(tmp_path: Path) -> None:
    """Small ones are joined, and one larger than that is written as well."""
    pieces = [b"a", b"b" * 3_000_000, b"", b"c"]
    write_durably(tmp_path / ".a.tmp", lambda descriptor: write_pieces(descriptor, pieces), replace_file(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == b"".join(pieces)
