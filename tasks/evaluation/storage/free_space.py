"""Disk space: how much a run needs to continue, so that it stops before it pays for what it cannot keep."""

import os
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure

# For each question in flight, its answer and grade in the log: a long chain of thought has this size.
BYTES_A_QUESTION = 64 * 1024
# The head and tail of a checkpoint, locks, and what Prefect writes besides.
BYTES_BESIDE = 1024 * 1024


def count_needed_bytes(config: Config) -> int:
    """Return the number of bytes that the questions in flight may need."""
    return config.processing.parallel_workers * BYTES_A_QUESTION + BYTES_BESIDE


def find_shortage(folder: Path, needed_bytes: int) -> StorageFailure | None:
    """Return the reason why this many bytes cannot be kept in the folder; None if they can."""
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return StorageFailure(f"nothing can be kept in {folder}: {error.strerror}; {MAKE_ROOM}")
    if disk.f_flag & os.ST_RDONLY:
        return StorageFailure(f"nothing can be kept in {folder}: its file system is read-only; {MAKE_ROOM}")
    free_bytes = disk.f_bavail * disk.f_frsize
    if free_bytes >= needed_bytes:
        return None
    return StorageFailure(
        f"the disk of {folder} has {free_bytes / 1e6:,.1f} MB left, and the run needs {needed_bytes / 1e6:,.1f} MB to keep "
        f"what it pays for: {MAKE_ROOM}"
    )
