"""The files and folders of a disk that forgets: what is durable in each, and every content that a crash can leave in it."""

import os
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Tree:
    """A folder's whole content. `files` holds all names of each file; paths are relative to the folder."""

    folders: frozenset[str]
    links: frozenset[tuple[str, str]]
    files: frozenset[tuple[frozenset[str], bytes]]

    def build(self, root: Path) -> None:
        """Build the tree in an empty folder."""
        for folder in sorted(self.folders):
            (root / folder).mkdir()
        for names, content in self.files:
            first, *others = sorted(names)
            (root / first).write_bytes(content)
            for other in others:
                (root / other).hardlink_to(root / first)
        for name, target in self.links:
            (root / name).symlink_to(target)

    def keep_contents(self, opened: AbstractSet[str]) -> "Tree":
        """Return the tree with empty files in place of those of which no name is among these."""
        return replace(self, files=frozenset((names, content if names & opened else b"") for names, content in self.files))


def read_tree(root: Path) -> Tree:
    """Return what really is in the folder."""
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
        """Return the content that remains if nothing is lost."""
        return self.pending[-1] if self.pending else self.synced

    def contents(self) -> list[bytes]:
        """Return every content that a crash can leave."""
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
        """Make all that was done so far durable."""
        self.synced, self.pending = self.kept(), []


@dataclass(eq=False)
class Folder:
    """An inode of a folder: its entries at the last fsync, and each operation since, as the entries that it sets."""

    name: str
    synced: "dict[str, Node]" = field(default_factory=dict)
    pending: "list[Mapping[str, Node | None]]" = field(default_factory=list)

    def entries(self, operations: int | None = None) -> "dict[str, Node]":
        """Return the entries after this number of operations since the last fsync; None: after all of them."""
        entries: dict[str, Node | None] = {**self.synced}
        for changes in self.pending[:operations]:
            entries |= changes
        return {name: node for name, node in entries.items() if node is not None}

    def sync(self) -> None:
        """Make all that was done so far durable."""
        self.synced, self.pending = self.entries(), []


# A symbolic link is represented by its target.
Node = File | Folder | str


def walk(folder: Folder, entries: Mapping[int, Mapping[str, Node]], prefix: str) -> Iterator[tuple[str, Node]]:
    """Yield all paths below the folder, each with its node; `entries` holds each folder's entries by its id."""
    for name, node in entries[id(folder)].items():
        yield prefix + name, node
        if isinstance(node, Folder):
            yield from walk(node, entries, f"{prefix}{name}/")


def make_tree(names: Mapping[str, Node], contents: Mapping[File, bytes]) -> Tree:
    """Return the tree of these paths, with a content for each file."""
    names_of: dict[File, list[str]] = {}
    for name, node in names.items():
        if isinstance(node, File):
            names_of.setdefault(node, []).append(name)
    return Tree(
        frozenset(name for name, node in names.items() if isinstance(node, Folder)),
        frozenset((name, node) for name, node in names.items() if isinstance(node, str)),
        frozenset((frozenset(names), contents[file]) for file, names in names_of.items()),
    )
