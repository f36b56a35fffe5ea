"""Names of temporary files, which are written under such a name and then renamed into place (`durable_files`).

    .{stem}_{number}_{place}_{process id}.tmp

`number` counts the names that the process has given, since several evaluations may run in it at once. `place` identifies where
the process id is valid: it is a digest of the host's name and the process id namespace. So a later run can tell which files a
killed one has left. A file is abandoned if its writer's place is this one and the process is gone, or if nothing was written to
it for a day. The day is for files of other machines and containers that share the directory; a save takes seconds, and each of
its writes renews the time. Downside: the file of a process that was killed elsewhere, or whose id is in use again, stays for
that day.
"""

import os
import re
import socket
from functools import cache
from hashlib import blake2b
from itertools import count
from pathlib import Path

TEMPORARY_NAME = re.compile(r"\.(checkpoint_|latest\.json_|mcqa_).*\.tmp")
WRITER = re.compile(r"_([0-9a-f]{6})_(\d{1,9})\.tmp")
DAY_SECONDS = 86_400.0
_numbers = count(1)


def name_temporary_file(stem: str) -> str:
    """Return a temporary name for the stem that nobody else uses, in this process or in another living one."""
    return f".{stem}_{next(_numbers)}_{name_place()}_{os.getpid()}.tmp"


@cache
def name_place() -> str:
    """Return six hexadecimal digits shared by all processes that see each other's process ids, and by hardly any others."""
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # not on Linux: there are no such namespaces
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
