"""Notes which of the files below a folder something opens, by whatever function of Python and by whatever name."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

Inode = tuple[int, int]

_noting: list[set[Inode]] = []


@contextmanager
def noting_opened(root: Path) -> Iterator[set[str]]:
    """Yield a set that takes the names of the files, relative to the folder, that are opened within the block.

    Only files count that are there at the beginning, and only once the block has ended.
    """
    _add_hook()
    opened, inodes, names = set[str](), set[Inode](), dict[str, Inode]()
    with ExitStack() as stack:
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                # Held open, so that no inode's number is used again.
                file = stack.enter_context(path.open("rb"))
                names[str(path.relative_to(root))] = _identify(os.fstat(file.fileno()))
        _noting.append(inodes)
        try:
            yield opened
        finally:
            _noting.remove(inodes)
    opened |= {name for name, inode in names.items() if inode in inodes}


@cache
def _add_hook() -> None:
    """Have every opening noted from now on; a hook can never be removed."""
    sys.addaudithook(_note)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _noting and event == "open" and isinstance(arguments[0], str | os.PathLike):
        with suppress(FileNotFoundError):
            _noting[-1].add(_identify(os.stat(arguments[0])))  # noqa: PTH116


def _identify(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino
