"""A disk that forgets: every state that a crash can leave of what was done below a folder.

What is done through the functions of `os` really happens, and is noted beside it as POSIX promises it: the content of a file is
durable when the file is fsynced, the entries of a folder when the folder is, and nothing else is. Before each operation and at
the end, all states are found that a crash at this moment can leave:

- of each file the content up to any write since its last fsync, the first half of what is not synced, and all of its length
  with zeros in place of the whole or of the first half of what is not synced;
- of each folder the entries up to any operation since its last fsync, as a file system with a journal keeps them.

All combinations of these, over all files and folders. Files are told by inode, so a state has the hard links that the disk had.
What is written around `os` is not seen; a name that it makes is an error when it is used, or at the end.
"""

import errno
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar
from unittest import mock

Result = TypeVar("Result")
AnyPath = str | Path
Promise = tuple[str, int]

REAL_OPEN, REAL_WRITE, REAL_FTRUNCATE = os.open, os.write, os.ftruncate
REAL_LINK, REAL_SYMLINK, REAL_REPLACE, REAL_UNLINK, REAL_MKDIR = os.link, os.symlink, os.replace, os.unlink, os.mkdir
# Where there is none, nobody calls it.
REAL_COPY: Callable[..., int] = vars(os).get("copy_file_range", lambda: 0)


class Killed(BaseException):
    """Ends a run as SIGKILL does: what the kernel has been given it keeps, and nothing more is done."""


@dataclass(frozen=True)
class Tree:
    """A folder's whole content. `files` holds all names of each file; paths are relative to the folder."""

    folders: frozenset[str]
    links: frozenset[tuple[str, str]]
    files: frozenset[tuple[frozenset[str], bytes]]

    def build(self, root: Path) -> None:
        """Make it in an empty folder."""
        for folder in sorted(self.folders):
            (root / folder).mkdir()
        for names, content in self.files:
            first, *others = sorted(names)
            (root / first).write_bytes(content)
            for other in others:
                (root / other).hardlink_to(root / first)
        for name, target in self.links:
            (root / name).symlink_to(target)


def read_tree(root: Path) -> Tree:
    """What really is in the folder."""
    paths = {str(path.relative_to(root)): path for path in root.rglob("*")}
    links = {name: str(path.readlink()) for name, path in paths.items() if path.is_symlink()}
    files = {name: path for name, path in paths.items() if path.is_file() and name not in links}
    names: dict[int, set[str]] = {}
    for name, path in files.items():
        names.setdefault(path.stat().st_ino, set()).add(name)
    return Tree(
        frozenset(name for name, path in paths.items() if path.is_dir()),
        frozenset(links.items()),
        frozenset((frozenset(group), files[min(group)].read_bytes()) for group in names.values()),
    )


@dataclass(eq=False)
class File:
    """An inode of a file: its content at the last fsync, and after each operation since."""

    name: str
    descriptor: int
    synced: bytes = b""
    pending: list[bytes] = field(default_factory=list)

    def kept(self) -> bytes:
        """The content when nothing is lost."""
        return self.pending[-1] if self.pending else self.synced

    def contents(self) -> list[bytes]:
        """Every content that a crash can leave."""
        found = [self.synced, *self.pending]
        kept = self.kept()
        if len(kept) > len(self.synced) and kept.startswith(self.synced):
            size, new = len(self.synced), len(kept) - len(self.synced)
            zeros = bytes(new)
            found += [kept[: size + new // 2], self.synced + zeros, self.synced + zeros[: new // 2] + kept[size + new // 2 :]]
        return list(dict.fromkeys(found))

    def note(self) -> None:
        """Note the content after an operation."""
        self.pending.append(os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0))

    def sync(self) -> None:
        """All that was done so far is durable."""
        self.synced, self.pending = self.kept(), []


@dataclass(eq=False)
class Folder:
    """An inode of a folder: its entries at the last fsync, and each operation since, as the entries that it sets."""

    name: str
    synced: "dict[str, Node]" = field(default_factory=dict)
    pending: "list[Mapping[str, Node | None]]" = field(default_factory=list)

    def entries(self, operations: int | None = None) -> "dict[str, Node]":
        """The entries after so many operations since the last fsync; after all of them when no number is given."""
        entries: dict[str, Node | None] = {**self.synced}
        for changes in self.pending[:operations]:
            entries |= changes
        return {name: node for name, node in entries.items() if node is not None}

    def sync(self) -> None:
        """All that was done so far is durable."""
        self.synced, self.pending = self.entries(), []


# A symbolic link is its target.
Node = File | Folder | str


@dataclass
class Promises:
    """What a run has promised so far: `arrived` survives the end of the process, `durable` the end of the power."""

    arrived: set[Promise] = field(default_factory=set)
    durable: set[Promise] = field(default_factory=set)


@dataclass
class Aftermath:
    """What must be found in a tree that a crash can leave; `moment` is the operation before which that was last more."""

    moment: str = ""
    promises: set[Promise] = field(default_factory=set)

    def demand(self, promises: set[Promise], moment: str) -> None:
        """Note that a crash at the moment can leave the tree, when so much was promised."""
        if not self.moment or not promises <= self.promises:
            self.moment = moment
            self.promises |= promises


class CrashDisk:
    """Notes what is done below a folder that is empty at first, and finds what a crash can leave of it.

    `aftermaths` holds each tree once, with all that was promised at any moment at which it can be left; `state_count` counts
    the states of all moments, `operations` names what was done. `room_bytes` is how many bytes writes still find room for, and
    `fatal` a pattern of operations: the next of them is not done, the process is killed instead.

    Args:
        root: the folder.
        promises: where the run says what it has promised.
        deaf_to: a pattern of names of files and folders whose fsyncs do nothing.
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
        """Note what is done meanwhile."""
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
        """Close the files that are held open so that no inode's number is used again."""
        for node in self._nodes.values():
            if isinstance(node, File):
                os.close(node.descriptor)

    def trees(self) -> Iterator[Tree]:
        """Every tree that a crash can leave now, some of them more than once."""
        folders = [node for node in self._nodes.values() if isinstance(node, Folder)]
        for numbers in itertools.product(*(range(len(folder.pending) + 1) for folder in folders)):
            entries = {id(folder): folder.entries(number) for folder, number in zip(folders, numbers, strict=True)}
            names = dict(_walk(self._top, entries, ""))
            files = [node for node in dict.fromkeys(names.values()) if isinstance(node, File)]
            for contents in itertools.product(*(file.contents() for file in files)):
                yield _make_tree(names, dict(zip(files, contents, strict=True)))

    def _kept(self) -> Tree:
        """The tree when nothing is lost."""
        entries = {id(node): node.entries() for node in self._nodes.values() if isinstance(node, Folder)}
        names = dict(_walk(self._top, entries, ""))
        return _make_tree(names, {node: node.kept() for node in names.values() if isinstance(node, File)})

    def _crash(self, operation: str) -> None:
        """Find what a crash leaves before the operation."""
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
        """The noted folder that the path's last part is in; None for one elsewhere."""
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
            # Opened anew, so that a lock on the other descriptor does not outlive it.
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
        """Do what changes a file's content."""
        node = self._nodes.get(os.fstat(descriptor).st_ino)
        if not isinstance(node, File):
            return change()
        with self._lock:
            self._crash(f"{verb} {node.name}")
            result = change()
            node.note()
            return result

    def _fit(self, content: bytes) -> bytes:
        """As much of the content as there is room for."""
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


def _walk(folder: Folder, entries: Mapping[int, Mapping[str, Node]], prefix: str) -> Iterator[tuple[str, Node]]:
    """All paths below the folder, with what is there; `entries` are each folder's."""
    for name, node in entries[id(folder)].items():
        yield prefix + name, node
        if isinstance(node, Folder):
            yield from _walk(node, entries, f"{prefix}{name}/")


def _make_tree(names: Mapping[str, Node], contents: Mapping[File, bytes]) -> Tree:
    names_of: dict[File, list[str]] = {}
    for name, node in names.items():
        if isinstance(node, File):
            names_of.setdefault(node, []).append(name)
    return Tree(
        frozenset(name for name, node in names.items() if isinstance(node, Folder)),
        frozenset((name, node) for name, node in names.items() if isinstance(node, str)),
        frozenset((frozenset(names), contents[file]) for file, names in names_of.items()),
    )
