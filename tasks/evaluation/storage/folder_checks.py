"""What a folder's file system must be able to do for a run, tried out there: `mcqa checkpoints doctor`.

A run relies on fsync (of files and folders), on a rename that replaces a name at once while readers keep the old file, on hard
links that never take a name twice, on symbolic links, and on locks that end with their process. Each is tried with files of
this process's own, which are removed. Locks between machines cannot be tried from one of them: `hold_lock` holds one on another
machine meanwhile, and the file that it locks says every second what its clock shows:

    {host name}
    {seconds since the epoch}         and spaces up to 200 bytes
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.storage.folders import sync_folder
from tasks.evaluation.storage.free_space import find_shortage
from tasks.evaluation.storage.locks import try_lock
from tasks.evaluation.storage.mounts import ONE_MACHINE, PAY_TWICE, find_weakness, read_mount
from tasks.evaluation.storage.temporary_files import name_temporary_file

PIECE = b"0123456789abcdef" * 4096
# A run of a thousand questions fits.
ROOM_BYTES = 20_000_000
SKEW_SECONDS = 2.0
HELD_NAME = ".mcqa_doctor_held.tmp"
BEAT_SECONDS, BEAT_BYTES = 1.0, 200
# Longer than two beats of the holder: a file that says the same for as long was left by a killed one.
LISTEN_SECONDS = 2.5
LOCK_IN_CHILD = "import fcntl, sys; fcntl.flock(open(sys.argv[1], 'rb'), fcntl.LOCK_SH | fcntl.LOCK_NB)"
SKEWED = "checkpoints of several machines are put in order by their clocks: let NTP set the clocks of both"


@dataclass(frozen=True)
class Finding:
    """What one trial has shown."""

    name: str
    """What was tried."""
    detail: str
    """What was seen."""
    meaning: str = ""
    """What it means for a run, and what to do; empty if all is well."""

    @property
    def is_well(self) -> bool:
        """Return True if a run can rely on it."""
        return not self.meaning


class _Unfit(Exception):
    """The trial has failed; the message is what was seen."""


def examine(folder: Path, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Try out everything in the folder, which exists; yield what each trial shows.

    If nothing can be written there, the first finding is the last.
    """
    if mount := read_mount(folder):
        yield Finding("file system", mount.kind, find_weakness(mount))
    shortage = find_shortage(folder, ROOM_BYTES)
    yield Finding("room", f"{shutil.disk_usage(folder).free / 1e9:,.1f} GB free", str(shortage or ""))
    first, second = (folder / name_temporary_file(f"mcqa_doctor_{which}") for which in ("first", "second"))
    trials: list[tuple[str, Callable[[], str], str]] = [
        ("write and fsync", lambda: _write(first), "no run can keep anything here: it stops before its first question"),
        ("fsync of a folder", lambda: _sync(folder), "a run stops at its first save: choose a folder on another file system"),
        ("rename", lambda: _rename(first, second), "a checkpoint could be read half-written: choose another file system"),
        ("hard link", lambda: _link(first, second), "a run stops at its first save: choose a folder on another file system"),
        ("symbolic link", lambda: _symlink(second), "a run stops at its first save: choose a folder on another file system"),
        ("lock", lambda: _lock(first), PAY_TWICE),
        ("clock", lambda: _measure_clock(first, now), SKEWED),
    ]
    try:
        for name, attempt, meaning in trials:
            finding = _attempt(name, attempt, meaning)
            yield finding
            if name == trials[0][0] and not finding.is_well:
                return
        yield from [_judge_holder(folder, now)]
    finally:
        for path in (first, second):
            with suppress(OSError):
                path.unlink()


def hold_lock(folder: Path, seconds: float, now: Callable[[], float] = time.time) -> None:
    """Hold a lock in the folder for that time, so that another machine can look for it.

    Raises:
        StorageFailure: the lock cannot be had, or its file not be written.
    """
    path = folder / HELD_NAME
    try:
        path.touch()
        with path.open("r+b", buffering=0) as file:
            if (state := try_lock(file)) != "ours":
                reason = "another process holds it" if state == "others" else "the file system has no locks"
                raise StorageFailure(f"cannot lock {path}: {reason}")
            try:
                for _ in range(max(1, round(seconds / BEAT_SECONDS))):
                    file.seek(0)
                    file.write(f"{socket.gethostname()}\n{now()}".encode().ljust(BEAT_BYTES))
                    os.fsync(file.fileno())
                    time.sleep(BEAT_SECONDS)
            finally:
                path.unlink()
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror}") from error


def _attempt(name: str, attempt: Callable[[], str], meaning: str) -> Finding:
    try:
        return Finding(name, attempt())
    except _Unfit as seen:
        return Finding(name, str(seen), meaning)
    except OSError as error:
        return Finding(name, error.strerror or str(error), meaning)


def _write(path: Path) -> str:
    path.write_bytes(PIECE)
    with path.open("r+b") as file:
        started = time.monotonic()
        os.fsync(file.fileno())
        seconds = time.monotonic() - started
    if path.read_bytes() != PIECE:
        raise _Unfit("what was written is not what is read")
    return f"{seconds * 1000:.1f} ms"


def _sync(folder: Path) -> str:
    sync_folder(folder)
    return "works"


def _rename(first: Path, second: Path) -> str:
    """Replace the second file by the first, while it is read; then write the first again."""
    second.write_bytes(b"old")
    with second.open("rb") as reader:
        first.replace(second)
        if reader.read() != b"old":
            raise _Unfit("a reader of the old file got the new one")
    if second.read_bytes() != PIECE:
        raise _Unfit("the new name shows the old file")
    first.write_bytes(PIECE)
    return "replaces a file that is being read"


def _link(first: Path, second: Path) -> str:
    second.unlink()
    os.link(first, second)
    try:
        os.link(first, second)
    except FileExistsError:
        return "takes no name twice"
    raise _Unfit("takes a name that is in use")


def _symlink(path: Path) -> str:
    path.unlink()
    path.symlink_to("target")
    return "works"


def _lock(path: Path) -> str:
    """Lock the file and let another process try; then unlock it, and let it try again."""
    with path.open("r+b") as file:
        if try_lock(file) == "unknown":
            raise _Unfit("the file system has none")
        if _locks_in_child(path):
            raise _Unfit("another process gets it too")
    if not _locks_in_child(path):
        raise _Unfit("it outlives its process")
    return "holds between processes of this machine"


def _locks_in_child(path: Path) -> bool:
    command = [sys.executable, "-I", "-S", "-c", LOCK_IN_CHILD, str(path)]
    child = subprocess.run(command, stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - the words above, and a path
    return child.returncode == 0


def _measure_clock(path: Path, now: Callable[[], float]) -> str:
    """Compare the time that the file system gives a file with this machine's."""
    path.write_bytes(PIECE)
    return _judge_skew(now() - path.stat().st_mtime, "the file system's")


def _judge_skew(seconds: float, whose: str) -> str:
    if abs(seconds) > SKEW_SECONDS:
        raise _Unfit(f"{abs(seconds):,.0f} s {'ahead of' if seconds > 0 else 'behind'} {whose}")
    return f"within {SKEW_SECONDS:.0f} s of {whose}"


def _judge_holder(folder: Path, now: Callable[[], float]) -> Finding:
    """Look for the lock that `hold_lock` holds on another machine."""
    name, path = "between machines", folder / HELD_NAME
    before = _read_beat(path)
    if before is None:
        return Finding(
            name, f"not tried: call `mcqa checkpoints doctor {folder} --hold 60` on another machine, and this meanwhile"
        )
    time.sleep(LISTEN_SECONDS)
    after, moment = _read_beat(path), now()
    if after is None or after == before:
        return Finding(name, "not tried: the file of a lock is left over, and nobody holds it")
    host, clock = after
    if host == socket.gethostname():
        return Finding(name, "not tried: the lock that is held is held on this machine")
    with path.open("r+b") as file:
        state = try_lock(file)
    if state != "others":
        return Finding(name, f"the lock that {host} holds is not seen here", ONE_MACHINE)
    return _attempt(name, lambda: f"the lock that {host} holds is seen; clock {_judge_skew(moment - clock, 'its own')}", SKEWED)


def _read_beat(path: Path) -> tuple[str, float] | None:
    """Return the holder's machine and what its clock has shown last; None if there is no such file, or it is being written."""
    try:
        host, _, moment = path.read_text(errors="replace").partition("\n")
        return host, float(moment)
    except (OSError, ValueError):
        return None
