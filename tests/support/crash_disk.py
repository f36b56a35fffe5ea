"""A disk that forgets: every state in which a crash can leave what was done below a folder.

What is done through the functions of `os` really happens, and is also noted as POSIX promises it: the content of a file is
durable once the file is fsynced, the entries of a folder once the folder is, and nothing else is. Before each operation and at
the end, all states are found that a crash at this moment can leave:

- for each file, the content up to any write since its last fsync; the same with the first half of what is not synced; and the
  full length with zeros in place of all, or of the first half, of what is not synced;
- for each folder, the entries up to any operation since its last fsync, as a file system with a journal keeps them.

The states are all combinations of these over all files and folders. Files are identified by inode, so a state has the hard
links that the disk had. What bypasses `os` is not seen; a name made that way is an error when it is used, or at the end.
"""

import errno
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar
from unittest import mock

from tests.support.crash_tree import File, Folder, Node, Tree, make_tree, read_tree, walk

Result = TypeVar("Result")
AnyPath = str | Path
Promise = tuple[str, int]
REAL_OPEN, REAL_WRITE, REAL_FTRUNCATE = os.open, os.write, os.ftruncate
REAL_LINK, REAL_SYMLINK, REAL_REPLACE, REAL_UNLINK, REAL_MKDIR = os.link, os.symlink, os.replace, os.unlink, os.mkdir
# If the system has no such function, nobody calls this.
REAL_COPY: Callable[..., int] = vars(os).get("copy_file_range", lambda: 0)


class Killed(BaseException):
    """Ends a run as SIGKILL does: the kernel keeps what it has been given, and nothing more is done."""


@dataclass
class Promises:
    """What a run has promised so far: `arrived` survives the end of the process, `durable` also a power failure."""

    arrived: set[Promise] = field(default_factory=set)
    durable: set[Promise] = field(default_factory=set)


@dataclass
class Aftermath:
    """What must be found in a tree that a crash can leave; `moment` is the operation before which it last became more."""

    moment: str = ""
    promises: set[Promise] = field(default_factory=set)

    def demand(self, promises: set[Promise], moment: str) -> None:
        """Note that a crash at the moment can leave the tree, and what had been promised by then."""
        if not self.moment or not promises <= self.promises:
            self.moment = moment
            self.promises |= promises


class CrashDisk:
    """Notes what is done below a folder that is empty at first, and finds what a crash can leave of it.

    `aftermaths` holds each tree once, with everything that was promised at any moment at which a crash can leave it.
    `state_count` counts the states of all moments, and `operations` names what was done. `room_bytes` is how many bytes can
    still be written. `fatal` is a pattern of operations: instead of the next one that matches, the process is killed.

    Args:
        root: the folder.
        promises: where the run notes what it has promised.
        deaf_to: a pattern for the names of files and folders whose fsyncs do nothing.
    """

    def __init__(self, root: Path, promises: Promises, *, deaf_to: str = "") -> None:
        self.operations: list[str] = []
        self.aftermaths: dict[Tree, Aftermath] = {}
        self.state_count = 0
        self.room_bytes: int | None = None
        self.fatal = ""
        self._root = root
        self._promises = promises
        self._deaf_to = deaf_to
        self._top = Folder(root.name)
        self._nodes: dict[int, File | Folder] = {root.stat().st_ino: self._top}
        self._lock = threading.RLock()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note what is done within the block."""
        functions = {
            "open": self._open,
            "mkdir": self._mkdir,
            "write": self._write,
            "ftruncate": self._ftruncate,
            "fsync": self._fsync,
            "link": self._link,
            "symlink": self._symlink,
            "replace": self._replace,
            "rename": self._replace,
            "unlink": self._unlink,
            **({"copy_file_range": self._copy_file_range} if hasattr(os, "copy_file_range") else {}),
        }
        with ExitStack() as stack:
            for name, function in functions.items():
                stack.enter_context(mock.patch.object(os, name, function))
            yield
        self._crash("the end")
        assert self._kept() == read_tree(self._root), "something was written around the functions of os"

    def close(self) -> None:
        """Close the files, which are held open so that no inode's number is used again."""
        for node in self._nodes.values():
            if isinstance(node, File):
                os.close(node.descriptor)

    def trees(self) -> Iterator[Tree]:
        """Yield every tree that a crash can leave now, some of them more than once."""
        folders = [node for node in self._nodes.values() if isinstance(node, Folder)]
        for numbers in itertools.product(*(range(len(folder.pending) + 1) for folder in folders)):
            entries = {id(folder): folder.entries(number) for folder, number in zip(folders, numbers, strict=True)}
            names = dict(walk(self._top, entries, ""))
            files = [node for node in dict.fromkeys(names.values()) if isinstance(node, File)]
            for contents in itertools.product(*(file.contents() for file in files)):
                yield make_tree(names, dict(zip(files, contents, strict=True)))

    def _kept(self) -> Tree:
        """Return the tree that remains if nothing is lost."""
        entries = {id(node): node.entries() for node in self._nodes.values() if isinstance(node, Folder)}
        names = dict(walk(self._top, entries, ""))
        return make_tree(names, {node: node.kept() for node in names.values() if isinstance(node, File)})

    def _crash(self, operation: str) -> None:
        """Find what a crash before the operation can leave."""
        moment = f"{len(self.operations)}: {operation}"
        for tree in self.trees():
            self.state_count += 1
            self.aftermaths.setdefault(tree, Aftermath()).demand(self._promises.durable, moment)
        self.aftermaths[self._kept()].demand(self._promises.arrived, moment)
        if fnmatch(operation, self.fatal):
            self.fatal = ""
            raise Killed
        self.operations.append(operation)

    def _folder_of(self, path: AnyPath) -> Folder | None:
        """Return the noted folder that holds the path's last part; None if it is elsewhere."""
        parent = Path(path).absolute().parent
        node = self._nodes.get(parent.stat().st_ino) if parent.is_relative_to(self._root) else None
        return node if isinstance(node, Folder) else None

    def _open(self, path: AnyPath, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        folder = self._folder_of(path) if flags & os.O_CREAT and not os.path.lexists(path) else None
        if folder is None:
            return REAL_OPEN(path, flags, mode, dir_fd=dir_fd)
        with self._lock:
            name = Path(path).name
            self._crash(f"create {name}")
            descriptor = REAL_OPEN(path, flags, mode, dir_fd=dir_fd)
            # Opened a second time, so that a lock on the other descriptor does not outlive that descriptor.
            file = File(name, REAL_OPEN(path, os.O_RDONLY))
            self._nodes[os.fstat(descriptor).st_ino] = file
            folder.pending.append({name: file})
            return descriptor

    def _mkdir(self, path: AnyPath, mode: int = 0o777) -> None:
        parent = self._folder_of(path) if not os.path.lexists(path) and Path(path).parent.exists() else None
        if parent is None:
            REAL_MKDIR(path, mode)
            return
        with self._lock:
            name = Path(path).name
            self._crash(f"mkdir {name}")
            REAL_MKDIR(path, mode)
            folder = self._nodes[Path(path).stat().st_ino] = Folder(name)
            parent.pending.append({name: folder})

    def _write(self, descriptor: int, content: bytes) -> int:
        return self._change("write", descriptor, lambda: REAL_WRITE(descriptor, self._fit(content)))

    def _ftruncate(self, descriptor: int, length: int) -> None:
        self._change("truncate", descriptor, lambda: REAL_FTRUNCATE(descriptor, length))

    def _copy_file_range(self, source: int, target: int, count: int, offset_src: int | None = None) -> int:
        return self._change("copy into", target, lambda: REAL_COPY(source, target, count, offset_src))

    def _change(self, verb: str, descriptor: int, change: Callable[[], Result]) -> Result:
        """Make a change to a file's content."""
        node = self._nodes.get(os.fstat(descriptor).st_ino)
        if not isinstance(node, File):
            return change()
        with self._lock:
            self._crash(f"{verb} {node.name}")
            result = change()
            node.note()
            return result

    def _fit(self, content: bytes) -> bytes:
        """Return as much of the content as there is room for."""
        if self.room_bytes is None:
            return content
        if self.room_bytes == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fitting = content[: self.room_bytes]
        self.room_bytes -= len(fitting)
        return fitting

    def _fsync(self, descriptor: int) -> None:
        node = self._nodes.get(os.fstat(descriptor).st_ino)
        assert node, "something that was made around the functions of os is fsynced"
        with self._lock:
            self._crash(f"fsync {node.name}")
            if not fnmatch(node.name, self._deaf_to):
                node.sync()

    def _link(self, source: AnyPath, target: AnyPath) -> None:
        folder = self._folder_of(target)
        assert folder
        with self._lock:
            node, name = self._node_at(source), Path(target).name
            self._crash(f"link {name}")
            REAL_LINK(source, target)
            folder.pending.append({name: node})

    def _symlink(self, target: str, path: AnyPath, target_is_directory: bool = False) -> None:
        folder = self._folder_of(path)
        assert folder
        with self._lock:
            name = Path(path).name
            self._crash(f"symlink {name}")
            REAL_SYMLINK(target, path, target_is_directory)
            folder.pending.append({name: target})

    def _replace(self, source: AnyPath, target: AnyPath) -> None:
        folder = self._folder_of(target)
        assert folder
        assert folder is self._folder_of(source)
        with self._lock:
            node, name = self._node_at(source), Path(target).name
            self._crash(f"rename to {name}")
            REAL_REPLACE(source, target)
            folder.pending.append({Path(source).name: None, name: node})

    def _unlink(self, path: AnyPath) -> None:
        folder, name = self._folder_of(path), Path(path).name
        if folder is None or name not in folder.entries():
            REAL_UNLINK(path)
            return
        with self._lock:
            self._crash(f"unlink {name}")
            REAL_UNLINK(path)
            folder.pending.append({name: None})

    def _node_at(self, path: AnyPath) -> Node:
        folder = self._folder_of(path)
        assert folder
        return folder.entries()[Path(path).name]
