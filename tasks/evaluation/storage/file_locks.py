"""Locks on files, by which a process says that it uses one: the kernel frees them when the process ends, in whatever way."""

import fcntl
import os
from pathlib import Path
from typing import IO, Literal

# `unknown`: the file system has no locks.
LockState = Literal["ours", "others", "unknown"]


def try_lock(file: IO[bytes] | IO[str], *, shared: bool = False) -> LockState:
    """Take the file's lock without waiting; say whose it is now. It is held until the last copy of the descriptor is closed."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return "others"
    except OSError:
        return "unknown"
    return "ours"


def probe_lock(path: Path) -> LockState:
    """Whether somebody else holds the file's lock; `ours`: nobody does.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return try_lock(file, shared=True)


def is_named(file: IO[bytes] | IO[str], path: Path) -> bool:
    """Whether the open file is still the one under that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def remove_unless_locked(path: Path, *, even_if_unknown: bool) -> bool:
    """Remove the file unless a living process holds its lock; say whether it was removed.

    Raises:
        OSError: it is there and cannot be removed.
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
