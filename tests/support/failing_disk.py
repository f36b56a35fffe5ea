"""A disk that fails: each operation that changes something below a folder is counted, and one of them is made to fail.

Reads of temporary files count as well, and fail on a broken disk. Files opened through `io.open` are written through the
functions of `os`, so that nothing bypasses them.
"""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar
from unittest import mock

Result = TypeVar("Result")
AnyPath = str | Path

REAL = {name: getattr(os, name) for name in dir(os)}
REAL_OPEN = io.open
CHANGING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Operations that work even on a full disk.
NEEDS_NO_ROOM = ("unlink", "truncate", "read")
WRITES = ("write", "pwrite", "copy")


@dataclass(frozen=True)
class Fault:
    """What goes wrong: one operation, or that one and all after it.

    Args:
        number: which operation fails, counted from 0 among those that can.
        code: the errno. On a full disk, only operations that need room fail.
        lasts: whether all later operations fail too.
        is_short: whether it is a write of which the disk takes only half the bytes; the operation after it fails.
    """

    number: int
    code: int
    lasts: bool
    is_short: bool = False

    def can_meet(self, operation: str) -> bool:
        """Return True if such an operation can fail, and so is counted."""
        if self.is_short:
            return operation.startswith(WRITES)
        return self.code != errno.ENOSPC or not operation.startswith(NEEDS_NO_ROOM)


class ShortRawFile(io.RawIOBase):
    """An unbuffered file that is written through `os.write`, which is looked up at each write."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, content: Any) -> int:
        return os.write(self._descriptor, bytes(content))

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._descriptor)


class FailingDisk:
    """Counts what is done below the folder; `operations` names it, `has_failed` says whether the fault has occurred.

    Args:
        root: the folder.
        fault: what goes wrong; None: nothing.
    """

    def __init__(self, root: Path, fault: Fault | None = None) -> None:
        self.operations: list[str] = []
        self.has_failed = False
        self._root = str(root)
        self._fault = fault

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Make the functions of `os` work on this disk within the block."""
        functions: dict[str, Callable[..., Any]] = {
            "open": self._open,
            "write": self._write,
            "pwrite": self._pwrite,
            "copy_file_range": self._copy_file_range,
            "fsync": lambda file: self._on_file("fsync", file, lambda: None),
            "ftruncate": lambda file, *rest: self._on_file("truncate", file, lambda: REAL["ftruncate"](file, *rest)),
            "pread": lambda file, *rest: self._on_file("read", file, lambda: REAL["pread"](file, *rest)),
            **{name: self._on_path(name) for name in ("mkdir", "unlink")},
            **{name: self._on_path(name, place=1) for name in ("link", "symlink", "replace", "rename")},
        }  # fmt: skip
        with ExitStack() as stack:
            for name, function in functions.items():
                stack.enter_context(mock.patch.object(os, name, function))
            stack.enter_context(mock.patch.object(io, "open", self._open_file))
            yield

    def _count(self, operation: str) -> bool:
        """Note the operation if it can fail; return True if it fails."""
        fault = self._fault
        if fault is None or not fault.can_meet(operation):
            return False
        number = len(self.operations)
        self.operations.append(operation)
        last = float("inf") if fault.lasts else fault.number + fault.is_short
        fails = fault.number <= number <= last
        self.has_failed |= fails
        return fails

    def _do(self, operation: str, act: Callable[[], Result]) -> Result:
        if self._count(operation):
            raise self._error()
        return act()

    def _error(self) -> OSError:
        assert self._fault
        return OSError(self._fault.code, os.strerror(self._fault.code))

    def _is_below(self, path: AnyPath) -> bool:
        return os.path.abspath(path).startswith(self._root)  # noqa: PTH100

    def _name(self, descriptor: int) -> str | None:
        """Return the file's name; None for a file that is not below the folder."""
        path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
        return os.path.basename(path) if path.startswith(self._root) else None  # noqa: PTH119

    def _open(self, path: AnyPath, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if not flags & CHANGING_FLAGS or not self._is_below(path):
            return int(REAL["open"](path, flags, mode, dir_fd=dir_fd))
        return int(self._do(f"open {path}", lambda: REAL["open"](path, flags, mode, dir_fd=dir_fd)))

    def _open_file(self, path: Any, mode: str = "r", *args: Any, **options: Any) -> IO[Any]:
        if isinstance(path, int) or mode in {"r", "rb"} or "opener" in options or not self._is_below(path):
            return REAL_OPEN(path, mode, *args, **options)
        if mode != "wb":
            return self._do(f"open {path}", lambda: REAL_OPEN(path, mode, *args, **options))
        return io.BufferedWriter(ShortRawFile(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)))

    def _on_file(self, verb: str, descriptor: int, act: Callable[[], Result]) -> Result:
        name = self._name(descriptor)
        return act() if name is None else self._do(f"{verb} {name}", act)

    def _on_path(self, name: str, place: int = 0) -> Callable[..., Any]:
        def change(*arguments: Any, **options: Any) -> Any:
            def act() -> Any:
                return REAL[name](*arguments, **options)

            return self._do(f"{name} {arguments[place]}", act) if self._is_below(arguments[place]) else act()

        return change

    def _write(self, descriptor: int, content: bytes) -> int:
        return self._put("write", descriptor, len(content), lambda size: REAL["write"](descriptor, content[:size]))

    def _pwrite(self, descriptor: int, content: bytes, offset: int) -> int:
        return self._put("pwrite", descriptor, len(content), lambda size: REAL["pwrite"](descriptor, content[:size], offset))

    def _copy_file_range(self, source: int, target: int, count: int, offset_src: int) -> int:
        return self._put("copy", target, count, lambda size: REAL["copy_file_range"](source, target, size, offset_src))

    def _put(self, verb: str, descriptor: int, size: int, act: Callable[[int], int]) -> int:
        """Write this number of bytes, or as many as the disk takes."""
        name = self._name(descriptor)
        if name is None or not self._count(f"{verb} {name}"):
            return act(size)
        assert self._fault
        if self._fault.is_short and len(self.operations) == self._fault.number + 1:
            return act(size // 2)
        raise self._error()
