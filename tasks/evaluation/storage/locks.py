"""Locks that the kernel frees when a process ends, however it ends.

A process locks a file to show that it is using it: the segment of an answer log, the log of a model server, or the lock file of
an evaluation, which only one run may work on at a time. Different evaluations can share a directory freely.

    {folder}/{evaluation id}.lock      the process id of the run that holds it

The lock is the kernel's, on the file; the content of the file is only for the message. A run that ends removes its file. A
killed run leaves its file unlocked, and the next run of any evaluation removes it. So a process that has locked a file checks
that it still has its name, and tries again if not.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal, TextIO

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure, UserMistake

# `unknown`: the file system has no locks.
LockState = Literal["ours", "others", "unknown"]

# Probing a lock holds it for a moment, which must not be mistaken for another run.
PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02
SUFFIX = ".lock"


@contextmanager
def lock_evaluation(folder: Path, evaluation_id: str) -> Iterator[None]:
    """Hold the evaluation's lock.

    Raises:
        UserMistake: another run of this evaluation holds it.
        StorageFailure: the lock file cannot be made.
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
    """Return the ids of the running evaluations; if the file system has no locks, of all with a lock file."""
    running: set[str] = set()
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):
            if probe_lock(path) != "ours":
                running.add(path.stem)
    return running


def try_lock(file: IO[bytes] | IO[str], *, shared: bool = False) -> LockState:
    """Try to take the file's lock without waiting; return whose it is now.

    The lock is held until the last copy of the descriptor is closed.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return "others"
    except OSError:
        return "unknown"
    return "ours"


def probe_lock(path: Path) -> LockState:
    """Return `others` if another process holds the file's lock, `ours` if nobody does.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return try_lock(file, shared=True)


def is_named(file: IO[bytes] | IO[str], path: Path) -> bool:
    """Return True if the open file still has that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def remove_unless_locked(path: Path, *, even_if_unknown: bool) -> bool:
    """Remove the file unless a living process holds its lock; return True if it was removed.

    Raises:
        OSError: the file exists but cannot be removed.
    """
    try:
        # For writing, because an exclusive lock demands it on NFS.
        with path.open("r+b") as file:
            state = try_lock(file)
            may_remove = (state == "ours" or (state == "unknown" and even_if_unknown)) and is_named(file, path)
            if may_remove:
                path.unlink()
            return may_remove
    except FileNotFoundError:
        return False


def _open_locked(path: Path) -> TextIO:
    """Open and lock the lock file.

    If the file system has no locks, it is only opened: two runs at once would pay twice, but lose nothing.
    """
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
