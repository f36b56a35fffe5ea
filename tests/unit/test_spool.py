"""Spools hold a run's records outside memory, and leave nothing on the disk."""

from contextlib import closing
from pathlib import Path

import pytest

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.storage.placed_spool import PlacedSpool
from tasks.evaluation.storage.spool import Spool
from tests.support.limited_files import files_limited_to


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


def test_lines_are_streamed_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    """Whatever lies side by side, however many there are, one of them twice."""
    with closing(Spool(tmp_path)) as spool:
        for number in range(1_000):
            spool.append(b"%d" % number)
        wanted = [999, *range(10, 700), 3, 2, 4, 3, 0]
        assert list(spool.stream(wanted)) == [b"%d" % number for number in wanted]
        assert list(spool.stream([])) == []


def test_positions_without_a_line_are_left_out_of_a_stream(tmp_path: Path) -> None:
    """The others come in the order of the positions."""
    with closing(PlacedSpool(tmp_path, positions=5)) as spool:
        for position in (4, 0, 2):
            spool.put(position, b"%d" % position)
        assert list(spool.stream(range(5))) == [b"0", b"2", b"4"]


def test_gathered_lines_are_read_before_they_are_written(tmp_path: Path) -> None:
    """And all of them are copied, those in memory too."""
    lines = [b"%d" % number * 1_000 for number in range(1_000)]
    with closing(Spool(tmp_path)) as spool, (tmp_path / "copy").open("wb") as copy:
        with spool.gathering():
            for number, line in enumerate(lines):
                spool.append(line)
                assert spool.read(number) == line
            assert list(spool.stream(range(1_000))) == lines
            spool.copy(copy.fileno(), 1_000)
        assert (tmp_path / "copy").read_bytes() == b",\n".join(lines)
        assert list(spool.stream(range(1_000))) == lines


@pytest.mark.parametrize("kept", [0, 1, 150, 299, 300])
def test_gathered_lines_are_taken_back(tmp_path: Path, kept: int) -> None:
    """Whether they are on the disk already or wait for it."""
    with closing(Spool(tmp_path)) as spool:
        with spool.gathering():
            for _ in range(300):
                spool.append(b"old" * 1_000)
            spool.truncate(kept)
            spool.append(b"new")
        spool.append(b"newer")
        assert list(spool.stream(range(len(spool)))) == [b"old" * 1_000] * kept + [b"new", b"newer"]


def test_a_full_disk_fails_what_is_gathered(tmp_path: Path) -> None:
    """At the latest when the gathering ends; with room again, nothing of it is lost."""
    with closing(Spool(tmp_path)) as spool:
        with files_limited_to(1_000), pytest.raises(StorageFailure, match="cannot write a temporary file"), spool.gathering():
            spool.append(b"a" * 2_000)
        spool.append(b"b")
        assert [spool.read(0), spool.read(1)] == [b"a" * 2_000, b"b"]


def test_a_full_disk_leaves_a_spool_as_it_was(tmp_path: Path) -> None:
    """The line that did not fit is not kept, and the next one that fits is."""
    with closing(Spool(tmp_path)) as spool:
        spool.append(b"kept")
        with files_limited_to(1_000), pytest.raises(StorageFailure, match="cannot write a temporary file"):
            spool.append(b"a" * 2_000)
        assert spool.append(b"fits") == 1
        assert [spool.read(0), spool.read(1)] == [b"kept", b"fits"]
