"""The reader of checkpoints, ours and the original script's (`checkpoint` documents the file)."""

import gzip
import itertools
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_lines import JsonObject, from_line
from tasks.evaluation.storage.checkpoint import (
    RESULTS_BEGIN,
    RESULTS_COUNT_KEY,
    RESULTS_END,
    RESULTS_KEY,
    Checkpoint,
    parse_ends,
    parse_indices,
    parse_members,
)
from tasks.evaluation.storage.json_stream import read_object
from tasks.evaluation.storage.spool import SEPARATOR

# The tail of one of our checkpoints is searched for in this many bytes at the file's end.
TAIL_BYTES = 1 << 18
# The original script stored a failed request as an answer that begins with this.
ORIGINAL_ERROR = "Error: "
LINE_BREAK = b"\n"


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint without its results; None for a JSON file that is not a checkpoint.

    Raises:
        DamagedFile: the file cannot be read, ends early, or contradicts itself.
    """
    return parse_members(path, read_members(path))


def read_named_checkpoint(path: str) -> Checkpoint:
    """Return the checkpoint that the user named.

    Raises:
        UserMistake: the file does not exist, is damaged, or is not a checkpoint.
    """
    try:
        checkpoint = read_checkpoint(Path(path))
    except DamagedFile as error:
        raise UserMistake(f"cannot resume from {path}: {error}") from None
    if checkpoint is None:
        raise UserMistake(f"cannot resume from {path}: it is not a checkpoint")
    return checkpoint


def read_results(path: Path) -> Iterator[JsonObject]:
    """Yield the results in a checkpoint, one by one.

    Raises:
        DamagedFile: the file ends early or does not parse; some results may have been yielded before.
    """
    with _open_text(path) as source:
        for key, value in read_object(source, streamed=RESULTS_KEY):
            if key == RESULTS_KEY and isinstance(value, dict):
                yield value


def read_result_lines(path: Path) -> Iterator[tuple[JsonObject, bytes | None]]:
    """Yield the results in a checkpoint, each with its line; None for one that does not have a line of its own.

    Raises:
        DamagedFile: as `read_results`.
    """
    count = yield from _read_own_lines(path)
    if count is not None:
        yield from ((result, None) for result in itertools.islice(read_results(path), count, None))


def read_completed_indices(path: Path) -> set[int]:
    """Return the numbers of the questions that a checkpoint claims to hold.

    Raises:
        DamagedFile: the file cannot be read.
    """
    return parse_indices(read_members(path))


def is_failed_request(result: JsonObject) -> bool:
    """Return True if a result of the original script holds an error in place of an answer."""
    return str(result.get("model_answer")).startswith(ORIGINAL_ERROR)


def read_members(path: Path) -> JsonObject:
    """Return the members around the results: from the two ends of a file of ours, else by reading all of it.

    Where all of it was read, their number is under `RESULTS_COUNT_KEY`. Empty if the document is not an object.

    Raises:
        DamagedFile: the file cannot be read, or ends early.
    """
    return _read_ends(path) or _read_whole(path)


def _read_ends(path: Path) -> JsonObject | None:
    if path.suffix == ".gz":
        return None
    try:
        with path.open("rb") as file:
            first_line = file.readline()
            file.seek(max(file.seek(0, 2) - TAIL_BYTES, 0))
            return parse_ends(first_line, file.read())
    except OSError as error:
        raise DamagedFile(error.strerror or str(error)) from None


def _read_whole(path: Path) -> JsonObject:
    """Return all members of a JSON object, but of its results only their number; empty if it is not an object."""
    members: JsonObject = {}
    count = 0
    with _open_text(path) as source:
        if not _begins_with_brace(source):
            return {}
        for key, value in read_object(source, streamed=RESULTS_KEY):
            if key == RESULTS_KEY:
                count += 1
            else:
                members[key] = value
    return members | {RESULTS_COUNT_KEY: count}


def _read_own_lines(path: Path) -> Generator[tuple[JsonObject, bytes], None, int | None]:
    """Yield the results, each with its line, as long as the file is as the writer has left it.

    Return None if it is to its end; else, as after an edit or where it was cut, the number of results before that place.
    """
    count = 0
    with suppress(OSError, ValueError), path.open("rb") as file:
        first_line = file.readline()
        for stored in file if first_line.endswith(RESULTS_BEGIN) else ():
            line = stored.rstrip(SEPARATOR)
            yield from_line(line), line
            count += 1
            if not stored.endswith(SEPARATOR):
                return None if _is_end(first_line, file.readline()) and not file.read(1) else count
    return count


def _is_end(first_line: bytes, line: bytes) -> bool:
    is_end = line.startswith(RESULTS_END.lstrip(LINE_BREAK))
    return is_end and parse_ends(first_line, LINE_BREAK + line) is not None


def _begins_with_brace(source: TextIO) -> bool:
    try:
        beginning = source.read(1 << 10).lstrip()
        source.seek(0)
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise DamagedFile(str(error)) from None
    if not beginning:
        raise DamagedFile("it is empty")
    return beginning.startswith("{")


def _open_text(path: Path) -> TextIO:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", encoding="utf-8")
        return path.open(encoding="utf-8")
    except OSError as error:
        raise DamagedFile(error.strerror or str(error)) from None
