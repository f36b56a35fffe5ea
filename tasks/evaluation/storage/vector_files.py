"""Files of vectors, each kept under a key, so that nothing is embedded twice, in whichever run.

    file   = header line, records
    header = {"dimension": 384, "format": "mcqa-vectors", "version": 1} and a line feed
    record = key (16 bytes), `dimension` numbers (float32, little endian), CRC-32 of both (4 bytes, little endian)

Each process writes a file of its own, `{writer}.vectors`, and reads all. A batch is in the file, fsynced, before `keep`
returns. Tail rule: a record that the file does not hold whole is no record, and one with a wrong checksum is passed over.
Downside: files are never merged; each takes 4 bytes a number.
"""

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.storage.folders import make_folder, sync_folder

KEY_BYTES, CHECK_BYTES = 16, 4
SUFFIX, FORMAT, VERSION = ".vectors", "mcqa-vectors", 1
LONGEST_HEADER = 1_000

Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


class VectorFiles:
    """The vectors that this and earlier processes have kept.

    Args:
        folder: where the files are; None: nothing is kept beyond this process.
        writer: names this process's file.
    """

    def __init__(self, folder: Path | None, writer: str) -> None:
        self._folder = folder
        self._writer = writer
        self._descriptor: int | None = None
        self._known: dict[bytes, Vector] = {}
        for path in sorted(folder.glob(f"*{SUFFIX}")) if folder and folder.is_dir() else []:
            self._known |= _read(path)

    def __contains__(self, key: bytes) -> bool:
        return key in self._known

    def __getitem__(self, key: bytes) -> Vector:
        return self._known[key]

    def keep(self, vectors: Mapping[bytes, Vector]) -> None:
        """Add these vectors, which are on disk when this returns.

        Raises:
            StorageFailure: they cannot be kept.
        """
        if self._folder and vectors:
            try:
                self._append(self._folder, vectors)
            except OSError as error:
                raise StorageFailure(f"cannot keep vectors in {self._folder}: {error.strerror}") from error
        self._known |= vectors

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _append(self, folder: Path, vectors: Mapping[bytes, Vector]) -> None:
        if self._descriptor is None:
            make_folder(folder)
            dimension = len(next(iter(vectors.values())))
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._descriptor = os.open(folder / f"{self._writer}{SUFFIX}", flags, 0o644)
            header = {"dimension": dimension, "format": FORMAT, "version": VERSION}
            self._write(json.dumps(header, sort_keys=True).encode() + b"\n")
            sync_folder(folder)
        self._write(b"".join(map(_pack, vectors.keys(), vectors.values())))
        os.fsync(self._descriptor)

    def _write(self, piece: bytes) -> None:
        assert self._descriptor is not None
        written = 0
        while written < len(piece):
            written += os.write(self._descriptor, piece[written:])


def _pack(key: bytes, vector: Vector) -> bytes:
    record = key + vector.astype("<f4").tobytes()
    return record + struct.pack("<I", zlib.crc32(record))


def _read(path: Path) -> dict[bytes, Vector]:
    """Return the whole vectors of the file; empty if the file has another format."""
    try:
        content = path.read_bytes()
        line, _, body = content.partition(b"\n")
        header = json.loads(line[:LONGEST_HEADER])
        dimension = header["dimension"] if (header["format"], header["version"]) == (FORMAT, VERSION) else 0
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    if not isinstance(dimension, int) or dimension < 1:
        return {}
    size = KEY_BYTES + 4 * dimension + CHECK_BYTES
    records = (body[start : start + size] for start in range(0, len(body) - size + 1, size))
    sound = (record for record in records if struct.pack("<I", zlib.crc32(record[:-CHECK_BYTES])) == record[-CHECK_BYTES:])
    return {
        record[:KEY_BYTES]: np.frombuffer(record[KEY_BYTES:-CHECK_BYTES], dtype="<f4").astype(np.float32) for record in sound
    }
