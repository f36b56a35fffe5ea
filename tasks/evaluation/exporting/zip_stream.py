"""A zip archive of any number of members, written in bounded memory.

The standard library's writer keeps an object for each member until the end, which for a million members takes a gigabyte. This
one writes the archive's directory to a temporary file beside it and appends that at the end. Members are compressed with
Deflate; beyond 4 GiB or 65,535 members the archive is in the Zip64 form.

Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
"""

import shutil
import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO

MEMBER, DIRECTORY_ENTRY, DIRECTORY_END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
DIRECTORY_END_64, LOCATOR_64 = b"PK\x06\x06", b"PK\x06\x07"
VERSION, VERSION_64 = 20, 45
UTF8_NAME, DEFLATE = 1 << 11, 8
# 1 January 1980, the earliest date that the form can hold: the members' own times say nothing, and equal runs give equal files.
EARLIEST_DATE = 0x21
# What a short field holds where the real value is in the Zip64 part.
SHORT_MAX, LONG_MAX = 0xFFFF, 0xFFFFFFFF
SIZES_64 = struct.Struct("<HHQQ")
COMPRESSION = 6


class ZipStream:
    """A writer of one archive; `close` completes it.

    Args:
        file: the archive, which can seek; positions count from its beginning.
        directory: an empty file for the directory until the end.
    """

    def __init__(self, file: BinaryIO, directory: BinaryIO) -> None:
        self._file = file
        self._directory = directory
        self._count = 0

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        """Append a member whose content is these pieces.

        Raises:
            OSError: it cannot be written.
        """
        start = self._file.tell()
        self._file.write(_describe_member(name, crc=0, packed=0, size=0))
        begin, crc, size = self._file.tell(), 0, 0
        compressor = zlib.compressobj(COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            self._file.write(compressor.compress(piece))
        self._file.write(compressor.flush())
        end = self._file.tell()
        self._file.seek(start)
        self._file.write(_describe_member(name, crc=crc, packed=end - begin, size=size))
        self._file.seek(end)
        self._directory.write(_describe_entry(name, crc=crc, packed=end - begin, size=size, start=start))
        self._count += 1

    def close(self) -> None:
        """Append the directory.

        Raises:
            OSError: it cannot be written.
        """
        start, size = self._file.tell(), self._directory.tell()
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._file)
        end = self._file.tell()
        tail = struct.pack("<QHHIIQQQQ", 44, VERSION_64, VERSION_64, 0, 0, self._count, self._count, size, start)
        self._file.write(DIRECTORY_END_64 + tail + LOCATOR_64 + struct.pack("<IQI", 0, end, 1))
        count = min(self._count, SHORT_MAX)
        short = struct.pack("<HHHHIIH", 0, 0, count, count, min(size, LONG_MAX), min(start, LONG_MAX), 0)
        self._file.write(DIRECTORY_END + short)


def _describe_member(name: str, *, crc: int, packed: int, size: int) -> bytes:
    """Return what stands before a member: always of the same length for the same name, so that it can be written again."""
    encoded, sizes = name.encode(), SIZES_64.pack(1, 16, size, packed)
    head = struct.pack(
        "<HHHHHIIIHH", VERSION_64, UTF8_NAME, DEFLATE, 0, EARLIEST_DATE, crc, LONG_MAX, LONG_MAX, len(encoded), 20
    )
    return MEMBER + head + encoded + sizes


def _describe_entry(name: str, *, crc: int, packed: int, size: int, start: int) -> bytes:
    """Return a member's entry in the directory."""
    encoded = name.encode()
    large = [value for value in (size, packed, start) if value >= LONG_MAX]
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    head = struct.pack("<HHHHHH", VERSION_64, VERSION_64 if large else VERSION, UTF8_NAME, DEFLATE, 0, EARLIEST_DATE)
    short_sizes = struct.pack("<III", crc, min(packed, LONG_MAX), min(size, LONG_MAX))
    rest = struct.pack("<HHHHHII", len(encoded), len(extra), 0, 0, 0, 0, min(start, LONG_MAX))
    return DIRECTORY_ENTRY + head + short_sizes + rest + encoded + extra
