"""Names of temporary files: those that are written under a passing name and then renamed into place (`durable_files`).

    .{stem}_{place}_{process id}.tmp

`place` stands for the machine and its process ids: a digest of the host's name and of the process id namespace, in which alone
a process id means anything. So a later run can tell what a killed one has left: a draft is abandoned when its writer's place is
this one and the process is gone, or when nothing was written to it for a day. The day is for drafts of other machines and
containers that share the directory; a save takes seconds, and each of its writes renews the time. Downside: what was killed
elsewhere, or has a process id that is taken again, stays for that day.
"""

import os
import re
import socket
from functools import cache
from hashlib import blake2b
from pathlib import Path

TEMPORARY_NAME = re.compile(r"\.(checkpoint_|latest\.json_|mcqa_).*\.tmp")
WRITER = re.compile(r"_([0-9a-f]{6})_(\d{1,9})\.tmp")
DAY_SECONDS = 86_400.0


def name_temporary_file(stem: str) -> str:
    """Return this process's temporary name for the stem; no other living process uses it."""
    return f".{stem}_{name_place()}_{os.getpid()}.tmp"


@cache
def name_place() -> str:
    """Return six hexadecimal digits shared by all processes that see each other's process ids, and hardly any others."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # no Linux: there are no such namespaces
        namespace = 0
    return blake2b(f"{socket.gethostname()} {namespace}".encode(), digest_size=3).hexdigest()


def is_abandoned(temporary: Path, now: float) -> bool:
    """Return True if nobody will ever finish the temporary file; `now` in seconds since the epoch.

    Raises:
        OSError: it cannot be looked at, or is gone.
    """
    writer = WRITER.search(temporary.name)
    if writer and writer[1] == name_place() and not _is_alive(int(writer[2])):
        return True
    return is_old(temporary, now)


def is_old(path: Path, now: float) -> bool:
    """Return True if nothing was written to the file (or link) for a day.

    Raises:
        OSError: it cannot be looked at, or is gone.
    """
    return now - path.lstat().st_mtime > DAY_SECONDS


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
