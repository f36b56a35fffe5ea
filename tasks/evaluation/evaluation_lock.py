"""One run of an evaluation at a time; different evaluations share a directory freely."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.evaluation.errors import UserMistake


@contextmanager
def lock_evaluation(folder: Path, evaluation_id: str) -> Iterator[None]:
    """Hold the evaluation's lock, which the kernel frees when the process ends.

    Raises:
        UserMistake: another run of this evaluation holds it.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"{evaluation_id}.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UserMistake(
                f"this evaluation ({evaluation_id[:8]}) is already running in {folder.parent.parent}, as process {holder}; "
                "wait for it, or stop it"
            ) from None
        except OSError:
            # A file system without locks: two runs at once would pay twice, and lose nothing.
            pass
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
