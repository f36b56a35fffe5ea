"""The files that people keep questions in: finds a file's format, and reads its records one after the other.

The formats are a JSON array, a JSON object with a list `questions` or in another form that documents.py knows, JSON Lines, CSV
and Parquet, each plain or packed with gzip. The content decides; the name only tells CSV from JSON if the file begins with
neither bracket nor brace, and JSON Lines from an object. All but the other forms of JSON are read as they stream: memory does
not grow with the file. Damage is reported in one message with the file, the place and how to fix it.
"""

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, cast

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.config.nearby_files import describe_nearby
from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.questions.csv_rows import read_csv
from tasks.evaluation.questions.documents import holds_records
from tasks.evaluation.questions.formats import (
    CHUNK_BYTES,
    Placed,
    read_json,
    read_json_lines,
    read_parquet,
    read_wrapped_json,
)

FileFormat = Literal["JSON", "JSON with questions", "JSON Lines", "CSV", "Parquet"]
Unit = Literal["entry", "line", "row"]
UNITS: dict[FileFormat, Unit] = {
    "JSON": "entry",
    "JSON with questions": "entry",
    "JSON Lines": "line",
    "CSV": "line",
    "Parquet": "row",
}
LINES_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (".json", *LINES_SUFFIXES, ".csv", ".parquet", ".gz")
HEAD_BYTES = 1 << 16
WRAPPED = re.compile(r'"questions"\s*:\s*\[')
# One long line that begins with a list of records.
RECORDS = re.compile(
    r'\{\s*"(?:data|rows|records|examples|items|entries|samples|instances|test|train|validation|dev)"\s*:\s*\[\s*\{'
)
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
# What other files begin with, and what to do with them.
FOREIGN = {
    b"PK\x03\x04": "it is a zip archive or an Excel workbook: unpack it, or save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "it is an old Excel workbook: save the sheet as CSV UTF-8",
    b"\x28\xb5\x2f\xfd": "it is packed with zstd: unpack it with `zstd -d`",
    b"\xfd7zXZ": "it is packed with xz: unpack it with `unxz`",
    b"BZh": "it is packed with bzip2: unpack it with `bunzip2`",
    codecs.BOM_UTF16_LE: "it is UTF-16 text: save it as UTF-8, `iconv -f UTF-16 -t UTF-8 OLD > NEW`",
    codecs.BOM_UTF16_BE: "it is UTF-16 text: save it as UTF-8, `iconv -f UTF-16 -t UTF-8 OLD > NEW`",
}
GZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)


@dataclass(frozen=True)
class QuestionFile:
    """A file of questions whose format is known."""

    path: str
    format: FileFormat
    fields: Fields = field(default_factory=Fields)

    @property
    def unit(self) -> Unit:
        """Return what its places count."""
        return UNITS[self.format]

    def read(self, folder: Path | None = None, notes: list[str] | None = None) -> Iterator[Placed]:
        """Yield each record with its place.

        Args:
            folder: takes the temporary copy that a packed Parquet file needs.
            notes: takes how the file was read, if not in the usual way.

        Raises:
            UserMistake: the file cannot be read, or is damaged; says where, perhaps after some records were yielded.
        """
        try:
            with _open(self.path) as source:
                yield from self._read(source, folder, [] if notes is None else notes)
        except (DamagedFile, UnicodeDecodeError, *GZIP_ERRORS) as error:
            fault = _find_byte_fault(self.path, is_text=self.format != "Parquet") or str(error)
            raise UserMistake(f"cannot use the questions file {self.path}: {fault}") from None
        except OSError as error:
            raise UserMistake(_describe_unreadable(self.path, error)) from None

    def _read(self, source: BinaryIO, folder: Path | None, notes: list[str]) -> Iterator[Placed]:
        match self.format:
            case "JSON":
                return read_json(source)
            case "JSON with questions":
                return read_wrapped_json(source, notes)
            case "JSON Lines":
                return read_json_lines(source)
            case "CSV":
                return read_csv(source, self.fields)
            case "Parquet":
                return read_parquet(source, folder)


def find_format(path: str, fields: Fields | None = None) -> QuestionFile:
    """Return the file with its format, found by its first bytes.

    Raises:
        UserMistake: it cannot be read, is empty, or is not a file of questions.
    """
    try:
        with _open(path) as source:
            head = source.read(HEAD_BYTES)
    except GZIP_ERRORS as error:
        raise UserMistake(f"cannot use the questions file {path}: {_describe_cut(1, error)}") from None
    except OSError as error:
        raise UserMistake(_describe_unreadable(path, error)) from None
    fault = next((advice for magic, advice in FOREIGN.items() if head.startswith(magic)), None)
    fault = fault or (None if head.strip() else "it is empty; a list was expected")
    if fault:
        raise UserMistake(f"cannot use the questions file {path}: {fault}")
    if head.startswith(PARQUET):
        return QuestionFile(path, "Parquet")
    found = _find_text_format(path, head.decode("utf-8-sig", errors="replace").lstrip())
    return QuestionFile(path, found, fields or Fields())


def _find_text_format(path: str, head: str) -> FileFormat:
    name = path.lower().removesuffix(".gz")
    if head.startswith("{"):
        return "JSON Lines" if name.endswith(LINES_SUFFIXES) or _is_lines(head) else "JSON with questions"
    if name.endswith(LINES_SUFFIXES) and not head.startswith("["):
        return "JSON Lines"
    return "JSON" if head.startswith("[") or name.endswith(".json") else "CSV"


def _is_lines(head: str) -> bool:
    """Return True if a text that begins with a brace holds an object a line, rather than one object around all questions."""
    try:
        first, end = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return not WRAPPED.search(head) and not RECORDS.match(head) and head.partition("\n")[0].strip() != "{"
    is_alone = not head[end:].strip() and len(head) < HEAD_BYTES // 2
    return "questions" not in first and "\n" not in head[:end] and not (is_alone and holds_records(first))


def _open(path: str) -> BinaryIO:
    """Return the file's content, unpacked."""
    with Path(path).open("rb") as file:
        is_packed = file.read(len(GZIP)) == GZIP
    return cast(BinaryIO, gzip.open(path)) if is_packed else Path(path).open("rb")


def _find_byte_fault(path: str, *, is_text: bool) -> str | None:
    """Return what is wrong with the file's bytes, and in which line; None if they are sound UTF-8 and packed whole."""
    line, decoder = 1, codecs.getincrementaldecoder("utf-8")()
    try:
        with _open(path) as source:
            while chunk := cast(gzip.GzipFile, source).read1(CHUNK_BYTES):
                if is_text:
                    decoder.decode(chunk)
                line += chunk.count(b"\n")
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        return (
            f"line {line}: it is not UTF-8 text (byte 0x{error.object[error.start]:02x}): save it as UTF-8, "
            "perhaps with `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`"
        )
    except GZIP_ERRORS as error:
        return _describe_cut(line, error)
    return None


def _describe_cut(line: int, error: Exception) -> str:
    return f"after line {line}: the gzip file is cut short or damaged ({error}): fetch or pack it again"


def _describe_unreadable(path: str, error: OSError) -> str:
    nearby = f"; {describe_nearby(path, SUFFIXES)}" if isinstance(error, FileNotFoundError) else ""
    return f"cannot read the questions file {path}: {error.strerror or error}{nearby}"
