"""Files that are complete and durable before anyone sees them.

A file is written under a temporary name, fsynced, and then renamed or linked to its final name; after that, the folder is
fsynced. So a visible file is complete at every instant, even after a power failure, and never changes: a reader that has
opened it can read it to the end while a newer one takes its name. Assumption: a rename replaces a name atomically, as POSIX
demands.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from tasks.evaluation.storage.folders import sync_folder

Published = TypeVar("Published")

# Pieces are joined up to this size, so that a million short ones cost few system calls.
CHUNK_BYTES = 1 << 20


def write_durably(temporary: Path, write: Callable[[int], None], publish: Callable[[Path], Published]) -> Published:
    """Write a file under a temporary name, then publish it; return what `publish` returns.

    Args:
        temporary: a name in the final folder that no other process uses.
        write: writes the whole content to a descriptor.
        publish: gives the temporary file its final name.

    Raises:
        OSError: a step failed. Nothing is visible before `publish`; the temporary file is removed if possible.
    """
    try:
        # A file that a crash has left may be a published file's second name: it is removed, never written to.
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            write(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        published = publish(temporary)
        sync_folder(temporary.parent)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return published


def replace_file(path: Path) -> Callable[[Path], Path]:
    """Return a `publish` that gives the file this name, even if another file has it, and returns the path."""
    return lambda temporary: temporary.replace(path)


def claim_time(stem: Path, now: datetime) -> Callable[[Path], str]:
    """Return a `publish` that takes a free name, `{stem}_{time}.json` at the first free second, and returns that time.

    The folder's file system must support hard links.
    """

    def link(temporary: Path) -> str:
        moment = now
        while True:
            stamp = f"{moment:%Y%m%d_%H%M%S}"
            try:
                os.link(temporary, stem.with_name(f"{stem.name}_{stamp}.json"))
            except FileExistsError:
                moment += timedelta(seconds=1)
            else:
                temporary.unlink()
                return stamp

    return link


def write_bytes(descriptor: int, content: bytes) -> None:
    """Write all of the content, in as many steps as the kernel needs.

    Raises:
        OSError: it could not be written whole.
    """
    written = 0
    while written < len(content):
        written += os.write(descriptor, content[written:])


def write_pieces(descriptor: int, pieces: Iterable[bytes]) -> None:
    """Write the pieces one after the other.

    Raises:
        OSError: they could not be written whole.
    """
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= CHUNK_BYTES:
            write_bytes(descriptor, bytes(waiting))
            waiting.clear()
    write_bytes(descriptor, bytes(waiting))


def copy_bytes(source: int, target: int, start: int, stop: int) -> None:
    """Append a file's bytes from `start` up to, not including, `stop` to another file, within the kernel if possible.

    Raises:
        OSError: they could not be copied whole.
    """
    while start < stop:
        try:
            step = os.copy_file_range(source, target, stop - start, offset_src=start)
        except (AttributeError, OSError):
            step = 0
        if step == 0:
            _copy_through_memory(source, target, start, stop)
            return
        start += step


def _copy_through_memory(source: int, target: int, start: int, stop: int) -> None:
    while start < stop:
        piece = os.pread(source, min(CHUNK_BYTES, stop - start), start)
        if not piece:
            raise OSError("a temporary file has become shorter")
        write_bytes(target, piece)
        start += len(piece)
