"""Room on the disk: how much a run needs to go on, so that it stops before it pays for what it cannot keep."""

from pathlib import Path

from tasks.evaluation.config import Config
from tasks.evaluation.errors import MAKE_ROOM

# An answer with its grade in the log, for each question in flight: a long chain of thought is of this size.
BYTES_A_QUESTION = 64 * 1024
# The head and tail of a checkpoint, locks, and what Prefect writes beside them.
BYTES_BESIDE = 1024 * 1024


def count_needed_bytes(config: Config) -> int:
    """What the questions in flight may need."""
    return config.processing.parallel_workers * BYTES_A_QUESTION + BYTES_BESIDE


def describe_full_disk(folder: Path, free_bytes: int, needed_bytes: int) -> str:
    """What the user is told."""
    return (
        f"the disk of {folder} has {free_bytes / 1e6:,.1f} MB left, and the run needs {needed_bytes / 1e6:,.1f} MB to keep "
        f"what it pays for: {MAKE_ROOM}"
    )
