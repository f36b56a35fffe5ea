"""One run of an evaluation at a time; different evaluations share a directory freely.

    {folder}/{evaluation id}.lock      the process id of the run that holds it

The lock is the kernel's, on the file; what the file says is only for the message. A run that ends removes its file; one that is
killed leaves it, unlocked, and the next run of any evaluation removes it. So whoever has locked a file looks whether it still
bears its name, and else begins again.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure, UserMistake
from tasks.evaluation.storage.file_locks import is_named, probe_lock, try_lock

# A look at a lock holds it for a moment, which must not pass for another run.
PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02
SUFFIX = ".lock"


@contextmanager
def lock_evaluation(folder: Path, evaluation_id: str) -> Iterator[None]:
    """Hold the evaluation's lock, which the kernel frees when the process ends.

    Raises:
        UserMistake: another run of this evaluation holds it.
        StorageFailure: its file cannot be made.
    """
    path = folder / f"{evaluation_id}{SUFFIX}"
    try:
        folder.mkdir(exist_ok=True)
        file = _open_locked(path)
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror}; {MAKE_ROOM}") from error
    with file:
        with suppress(OSError):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), str(os.getpid()).encode())
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()


def find_running(folder: Path) -> set[str]:
    """The ids of the evaluations whose lock is held now; where the file system has no locks, of those with a lock file."""
    running: set[str] = set()
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):
            if probe_lock(path) != "ours":
                running.add(path.stem)
    return running


def _open_locked(path: Path) -> TextIO:
    """The lock file, open and locked; on a file system without locks open only: two runs would pay twice, and lose nothing."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        file = path.open("a+")
        state = try_lock(file)
        if state != "others" and is_named(file, path):
            return file
        with file:
            file.seek(0)
            holder = file.read().strip() or "unknown"
        if state == "others" and time.monotonic() > deadline:
            raise UserMistake(
                f"this evaluation ({path.stem[:8]}) is already running in {path.parent.parent.parent}, as process {holder}; "
                "wait for it, or stop it"
            )
        time.sleep(POLL_SECONDS)
