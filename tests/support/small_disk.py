"""A real small disk that an ordinary user can fill: a file system in memory, in a namespace of its own."""

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec cat'
PIECE = bytes(1 << 12)


class NoSmallDisk(Exception):
    """This machine does not let an ordinary user mount a file system."""


class SmallDisk:
    """The disk, which exists from entering the context until leaving it.

    Args:
        folder: where it is mounted for the commands that run on it; `outside` is the same folder for everybody else.
        size_bytes: how much it holds.

    Raises:
        NoSmallDisk: on entering the context.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self._size_bytes = size_bytes

    def __enter__(self) -> Self:
        self.folder.mkdir()
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "-", str(self._size_bytes), str(self.folder)]
        try:
            self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise NoSmallDisk(str(error)) from None
        assert self._holder.stdout
        if self._holder.stdout.readline() != b"mounted\n":
            raise NoSmallDisk(self._holder.communicate()[1].decode())
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.communicate()

    @property
    def outside(self) -> Path:
        """Return the path of the disk as seen from this process."""
        return Path(f"/proc/{self._holder.pid}/root{self.folder}")

    def command(self, working_directory: Path, *words: str) -> list[str]:
        """Return the command line that runs the command in the directory, with the disk mounted."""
        enter = ["nsenter", "--target", str(self._holder.pid), "--user", "--mount", "--preserve-credentials"]
        return [*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(working_directory), *words]

    def fill(self) -> None:
        """Use up all the room that is left."""
        with suppress(OSError), (self.outside / "filling").open("ab", buffering=0) as file:
            while True:
                file.write(PIECE)

    def make_room(self) -> None:
        """Free what `fill` has used up."""
        (self.outside / "filling").unlink()
