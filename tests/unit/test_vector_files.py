"""Vectors are kept by content: on disk before anything else happens, read whole or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.storage.vector_files import KEY_BYTES, VectorFiles

KEYS = [bytes([n]) * KEY_BYTES for n in range(3)]
VECTORS = {key: np.arange(4, dtype=np.float32) + n for n, key in enumerate(KEYS)}


def write(folder: Path, writer: str = "one") -> Path:
    """Keep three vectors, in two batches; return the file."""
    files = VectorFiles(folder, writer)
    files.keep({KEYS[0]: VECTORS[KEYS[0]]})
    files.keep({key: VECTORS[key] for key in KEYS[1:]})
    files.close()
    return folder / f"{writer}.vectors"


def list_known(folder: Path) -> list[int]:
    """Return which of the three are read again, after a check that they are what was kept."""
    files = VectorFiles(folder, "reader")
    known = [n for n, key in enumerate(KEYS) if key in files]
    assert all(np.array_equal(files[KEYS[n]], VECTORS[KEYS[n]]) for n in known)
    return known


def test_what_was_kept_is_found_by_every_later_process(tmp_path: Path) -> None:
    """From all files of the folder; a reader writes none."""
    write(tmp_path)
    assert list_known(tmp_path) == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["one.vectors"]


def test_every_beginning_of_a_file_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    """A crash can leave any; what is known never shrinks with a longer one."""
    path = write(tmp_path)
    content = path.read_bytes()
    counts = []
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        known = list_known(tmp_path)
        assert known == list(range(len(known)))
        counts.append(len(known))
    assert counts == sorted(counts)
    assert counts[-1] == 3


def test_a_damaged_vector_is_passed_over(tmp_path: Path) -> None:
    """The others are used."""
    path = write(tmp_path)
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    assert list_known(tmp_path) == [0, 1]


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}\n", b"[1]\n", b'{"dimension": -1, "format": "mcqa-vectors", "version": 1}\n']
)
def test_a_foreign_file_is_passed_over(tmp_path: Path, content: bytes) -> None:
    """Whatever it holds."""
    (tmp_path / "foreign.vectors").write_bytes(content)
    assert list_known(tmp_path) == []


def test_each_batch_is_forced_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before `keep` returns: once a batch, and once for the folder."""
    synced: list[int] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(descriptor)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    files = VectorFiles(tmp_path / "vectors", "one")
    for key, vector in VECTORS.items():
        before = len(synced)
        files.keep({key: vector})
        assert len(synced) > before
    files.close()


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    """A file lies where it should be."""
    (tmp_path / "vectors").write_text("")
    with pytest.raises(StorageFailure, match="vectors"):
        VectorFiles(tmp_path / "vectors", "one").keep(VECTORS)


def test_without_a_folder_nothing_is_written() -> None:
    """They are known as long as the process lives."""
    files = VectorFiles(None, "one")
    files.keep(VECTORS)
    assert all(key in files for key in KEYS)
    files.close()
