"""The processes of this machine: on Linux from /proc, which is always there, unlike `ps`; elsewhere (macOS) from `ps`."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def find_parents() -> dict[int, int]:
    """Return the parent's id of each process that has not ended, by the process's id.

    Raises:
        OSError: this machine has neither /proc nor `ps`.
    """
    rows = _read_proc() if (PROC / "self/stat").exists() else _ask_ps()
    return {pid: parent for pid, state, parent in rows if not state.startswith("Z")}


def _read_proc() -> Iterator[tuple[int, str, int]]:
    """Yield each process's id, state and parent. The name before the state may hold anything, even brackets.

    Source: proc_pid_stat(5).
    """
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            state, parent, *_ = path.read_bytes().rpartition(b")")[2].split()
            yield int(path.parent.name), state.decode(), int(parent)


def _ask_ps() -> Iterator[tuple[int, str, int]]:
    command = ["ps", "-A", "-o", "pid=,stat=,ppid="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - POSIX
    for pid, state, parent in map(str.split, listed.stdout.splitlines()):
        yield int(pid), state, int(parent)
