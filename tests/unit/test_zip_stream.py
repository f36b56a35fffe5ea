"""Archives of any number of members, written in bounded memory, are read by the standard library."""

import io
import zipfile

from tasks.evaluation.exporting.zip_stream import ZipStream


def test_members_are_read_back() -> None:
    """Whatever their names and sizes, an empty one included."""
    file = io.BytesIO()
    archive = ZipStream(file, io.BytesIO())
    archive.add("a.json", [b"one", b"two"])
    archive.add("é/🙂.json", [b"x" * 3_000_000])
    archive.add("empty", [])
    archive.close()
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert read.namelist() == ["a.json", "é/🙂.json", "empty"]
        assert (read.read("a.json"), len(read.read("é/🙂.json")), read.read("empty")) == (b"onetwo", 3_000_000, b"")


def test_more_members_than_the_short_form_counts_are_read_back() -> None:
    """The old form ends at 65,535."""
    file = io.BytesIO()
    archive = ZipStream(file, io.BytesIO())
    for number in range(70_000):
        archive.add(str(number), [b"%d" % number])
    archive.close()
    with zipfile.ZipFile(file) as read:
        assert len(read.namelist()) == 70_000
        assert read.read("69999") == b"69999"


def test_an_archive_beyond_four_gigabytes_is_read_back() -> None:
    """Its later members begin where 32 bits do not reach."""
    file = OffsetFile(5 << 30)
    archive = ZipStream(file, io.BytesIO())
    archive.add("late", [b"content"])
    archive.close()
    with zipfile.ZipFile(file) as read:
        [member] = read.infolist()
        assert member.header_offset == 5 << 30
        assert read.read("late") == b"content"


class OffsetFile(io.BytesIO):
    """A file whose first bytes, very many, are not kept."""

    def __init__(self, skipped: int) -> None:
        super().__init__()
        self._skipped = skipped

    def tell(self) -> int:
        """Return the position from the beginning that is not kept."""
        return super().tell() + self._skipped

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position that is kept."""
        if whence == io.SEEK_SET:
            super().seek(max(offset - self._skipped, 0))
        else:
            super().seek(offset, whence)
        return self.tell()
