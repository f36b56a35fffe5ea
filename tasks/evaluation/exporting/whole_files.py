"""Exported files appear whole or not at all: an export that fails leaves an older file of that name as it was."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.storage.durable_files import CHUNK_BYTES, replace_file, write_durably
from tasks.evaluation.storage.temporary_files import name_temporary_file


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file under a temporary name, fsync it, then give it its name, even if another file has that.

    Args:
        path: the file's name, in a folder that exists.
        write: writes the whole content to a file that can seek, and whose `name` is the temporary one.

    Raises:
        OSError: it cannot be written.
        UserMistake: `write` raised it; as with any other error, nothing is left.
    """

    def fill(descriptor: int) -> None:
        # Opened by its name, so that a writer knows the folder, where it may keep temporary files of its own.
        with open(temporary, "wb", buffering=CHUNK_BYTES, opener=lambda *_: os.dup(descriptor)) as file:
            write(file)

    temporary = path.with_name(name_temporary_file("mcqa_export"))
    try:
        write_durably(temporary, fill, replace_file(path))
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
