"""Spools hold a run's records outside memory, and leave nothing on the disk."""

from contextlib import closing
from pathlib import Path

import pytest

from tasks.evaluation.storage.spool import PlacedSpool, Spool


def test_lines_are_found_by_their_number(tmp_path: Path) -> None:
    """In the order in which they were appended."""
    with closing(Spool(tmp_path)) as spool:
        numbers = [spool.append(line) for line in (b"one", b"", b"three")]
        assert numbers == [0, 1, 2]
        assert [spool.read(number) for number in numbers] == [b"one", b"", b"three"]


def test_a_spool_has_no_name(tmp_path: Path) -> None:
    """So a killed process leaves no file behind."""
    with closing(Spool(tmp_path)) as spool:
        spool.append(b"line")
        assert list(tmp_path.iterdir()) == []


def test_a_position_keeps_its_first_line(tmp_path: Path) -> None:
    """A second record of the same question is not kept."""
    with closing(PlacedSpool(tmp_path, positions=3)) as spool:
        assert spool.put(2, b"first")
        assert not spool.put(2, b"second")
        assert spool.read(2) == b"first"
        assert len(spool) == 1


def test_truncating_takes_back_what_came_last(tmp_path: Path) -> None:
    """The positions are free again, and what came before is untouched."""
    with closing(PlacedSpool(tmp_path, positions=3)) as spool:
        spool.put(1, b"kept")
        spool.put(0, b"dropped")
        spool.truncate(1)
        assert 0 not in spool
        assert spool.put(0, b"again")
        assert [spool.read(1), spool.read(0)] == [b"kept", b"again"]
        with pytest.raises(KeyError):
            spool.read(2)
