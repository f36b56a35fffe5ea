"""A file that lists the addresses of one model, and that others write while it is read: batch jobs, say.

Grammar: one address a line, a weight behind it if it has one. What follows `#` is a comment; empty lines are passed over.

    http://node1:8000/v1
    http://node2:8000/v1 2   # with twice the share

Tail rule: a change counts once the file has looked the same for `settle_seconds`, so that nothing is read that is half written.
Only the last of several lines with the same address counts.

Others than the user may write it: a line holds an address and no reference to a secret.
"""

import asyncio
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from tasks.evaluation.config.addresses import WeightedUrl, name_place, read_line
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import UserMistake

# Thousands of addresses fit. What is larger is another file.
MOST_BYTES = 1_000_000
# A file that is something else altogether would fill the screen.
MOST_NOTES = 3
COMMENT = re.compile(r"(^|\s)#.*")
REFERENCE = re.compile(r"\$\{|secret:|command:")


class AddressFile:
    """Reads the addresses that a file lists; `listed` are those that it listed last.

    Args:
        path: the file's path.
        notify: takes what the user should know.
    """

    def __init__(self, path: str, notify: Callable[[str], None]) -> None:
        self.path = path
        self._notify = notify
        self.listed: list[WeightedUrl] = []
        self._content: bytes | None = None
        self._told: set[str] = set()

    def read_first(self) -> list[WeightedUrl]:
        """Return the addresses that the file lists at the start; there may be none yet.

        Raises:
            UserMistake: it cannot be read.
        """
        try:
            self._content = self._read_content()
        except OSError as error:
            reason = error.strerror or error
            is_missing = isinstance(error, FileNotFoundError)
            advice = "create it: it may be empty until the first server is there" if is_missing else "name a file of addresses"
            raise UserMistake(f"cannot read the file of addresses {self.path}: {reason}; {advice}") from None
        self.listed = self._parse(self._content)
        return self.listed

    async def read_again(self, settle_seconds: float) -> None:
        """Take up what the file lists now, unless it is being written or cannot be read."""
        try:
            content = await asyncio.to_thread(self._read_content)
            if content == self._content:
                return
            await asyncio.sleep(settle_seconds)
            if await asyncio.to_thread(self._read_content) != content:
                return
        except OSError as error:
            self._tell(f"⚠️ {self.path} cannot be read any more ({error.strerror or error}): its addresses stay as they were")
            return
        self._content = content
        self.listed = self._parse(content)

    def _read_content(self) -> bytes:
        path = Path(self.path)
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError("it is no file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise OSError(f"it is larger than {MOST_BYTES:,} bytes")
        return content

    def _parse(self, content: bytes) -> list[WeightedUrl]:
        found: dict[str, WeightedUrl] = {}
        passed_over: list[str] = []
        for number, line in enumerate(content.decode("utf-8-sig", errors="replace").splitlines(), 1):
            written = COMMENT.sub("", line).strip()
            if not written:
                continue
            try:
                listed = read_foreign_line(written)
            except ValueError as error:
                passed_over.append(f"line {number}, is passed over: {error}")
                continue
            found[name_place(listed.url)] = listed
        for note in passed_over[:MOST_NOTES]:
            self._tell(f"⚠️ {self.path}, {note}")
        if len(passed_over) > MOST_NOTES:
            self._tell(f"⚠️ {self.path}: {len(passed_over) - MOST_NOTES:,} more lines are passed over")
        return list(found.values())

    def _tell(self, words: str) -> None:
        """Say something once."""
        if words not in self._told:
            self._told.add(words)
            self._notify(words)


def check_files(endpoints: Iterable[Endpoint | None]) -> None:
    """Check that the files that list the endpoints' addresses can be read.

    Raises:
        UserMistake: one cannot.
    """
    for endpoint in endpoints:
        if endpoint and endpoint.address_file:
            AddressFile(endpoint.address_file, lambda _: None).read_first()


def read_foreign_line(line: str) -> WeightedUrl:
    """Return the address that a line holds which others than the user may have written.

    Raises:
        ValueError: as for `read_line`; or it refers to a secret.
    """
    if REFERENCE.search(line):
        raise ValueError("an address that is not in the settings cannot refer to a secret")
    return read_line(line)
