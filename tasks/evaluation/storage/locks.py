"""Locks that the kernel frees when a process ends, however it ends.

A process locks a file to show that it is using it: the segment of an answer log, the log of a model server, or the lock file of
an evaluation, which only one run may work on at a time. Different evaluations can share a directory freely. A run, too, is
worked on by one process at a time: a run that is resumed or retried at once waits for its earlier process.

    {folder}/{evaluation id}.lock      the run that holds it, and its process and host; in a second line the run's page, if any
    {folder}/{run id}.run              the process id and the host of the run

The lock is the kernel's, on the file; the content of the file is only for the message. A run that ends removes its file. A
killed run leaves its file unlocked, and the next run of any evaluation removes it. So a process that has locked a file checks
that it still has its name, and tries again if not.
"""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TextIO

from tasks.evaluation.errors import MAKE_ROOM, HeldByOther, StorageFailure, UserMistake

# `unknown`: the file system has no locks.
LockState = Literal["ours", "others", "unknown"]

# Probing a lock holds it for a moment, which must not be mistaken for another run.
PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02
SUFFIX, RUN_SUFFIX = ".lock", ".run"
# A process that is to stop notices it within ten seconds, gives answers in flight five, and saves.
PREDECESSOR_SECONDS = 120.0


class _HeldElsewhere(Exception):
    """Another process holds the lock; the message is what its file says of that process."""


@dataclass(frozen=True)
class Holder:
    """The run that holds a lock, for those who look for it."""

    name: str = ""
    """Its name; empty: its process and host must do."""
    page: str = ""
    """The address of its page in Prefect's UI; empty without a page."""

    def describe(self) -> str:
        """Return the content of the lock file."""
        name, process = " ".join(self.name.split()), f"process {os.getpid()} on {socket.gethostname()}"
        who = f"run '{name}' ({process})" if name else process
        return f"{who}\n{self.page}" if self.page else who


@contextmanager
def lock_evaluation(folder: Path, evaluation_id: str, holder: Holder) -> Iterator[None]:
    """Hold the evaluation's lock.

    Args:
        folder: where the locks are.
        evaluation_id: the evaluation's id.
        holder: the run that asks for the lock.

    Raises:
        UserMistake: another run of this evaluation holds it.
        StorageFailure: the lock file cannot be made.
    """
    path = folder / f"{evaluation_id}{SUFFIX}"
    try:
        file = _open_locked(path, PATIENCE_SECONDS)
    except _HeldElsewhere as other:
        who, _, page = str(other).partition("\n")
        raise UserMistake(
            f"this evaluation ({evaluation_id[:8]}) is already running in {path.parent.parent.parent}, as {who}; "
            f"wait for it, or stop it{': ' if page else ''}{page}"
        ) from None
    with _hold(file, path, holder.describe()):
        yield


@contextmanager
def lock_run(
    folder: Path, run_id: str, notify: Callable[[str], None], patience_seconds: float = PREDECESSOR_SECONDS
) -> Iterator[None]:
    """Hold the run's lock; if an earlier process of the same run has not ended yet, wait for it.

    Args:
        folder: where the locks are.
        run_id: the run's permanent id.
        notify: takes the line that says that it waits.
        patience_seconds: how long it waits at most.

    Raises:
        HeldByOther: the earlier process goes on.
        StorageFailure: the lock file cannot be made.
    """
    path = folder / f"{run_id}{RUN_SUFFIX}"
    with _hold(_await_lock(path, notify, patience_seconds), path, f"{os.getpid()} on {socket.gethostname()}"):
        yield


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


def _await_lock(path: Path, notify: Callable[[str], None], patience_seconds: float) -> TextIO:
    """Open and lock the lock file of a run as soon as the run's earlier process has ended."""
    try:
        return _open_locked(path, PATIENCE_SECONDS)
    except _HeldElsewhere as holder:
        notify(
            f"The process of this run that was started before (process {holder}) has not ended yet: waiting for it, at most "
            f"{patience_seconds:.0f} seconds"
        )
    try:
        return _open_locked(path, patience_seconds)
    except _HeldElsewhere as holder:
        raise HeldByOther(
            f"an earlier process of this run (process {holder}) has not ended within {patience_seconds:.0f} seconds; wait for "
            "it, or stop it, then Retry"
        ) from None


def _open_locked(path: Path, patience_seconds: float) -> TextIO:
    """Open and lock the lock file.

    If the file system has no locks, it is only opened: two runs at once would pay twice, but lose nothing.

    Raises:
        _HeldElsewhere: another process has held it all the time.
        StorageFailure: the file cannot be made.
    """
    deadline = time.monotonic() + patience_seconds
    try:
        path.parent.mkdir(exist_ok=True)
        while True:
            file = path.open("a+", encoding="utf-8", errors="replace")
            state = try_lock(file)
            if state != "others" and is_named(file, path):
                return file
            with file:
                file.seek(0)
                holder = file.read().strip() or "unknown"
            if state == "others" and time.monotonic() > deadline:
                raise _HeldElsewhere(holder)
            time.sleep(POLL_SECONDS)
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror}; {MAKE_ROOM}") from error


@contextmanager
def _hold(file: TextIO, path: Path, holder: str) -> Iterator[None]:
    """Name the holder in the locked file; at the end remove the file and give up the lock."""
    with file:
        with suppress(OSError):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), holder.encode())
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()
