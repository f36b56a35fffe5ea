"""The records of an open question file, one after the other, each with its place: the readers behind files.py.

Each yields (number, record); the number counts entries, lines or rows from 1. A record of CSV or Parquet is an object whose
keys are the columns. Damage raises a DamagedFile that says where; bytes that are not UTF-8 raise a UnicodeDecodeError, and a
gzip file that is cut raises what the gzip module raises.
"""

import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.documents import read_document
from tasks.evaluation.storage.json_stream import read_array

# A record and its place.
Placed = tuple[int, JsonValue]

CHUNK_BYTES = 1 << 20
PARQUET_ROWS = 1000
# Neither begins a JSON value.
COMMENTS = ("#", "//")


def read_json(source: BinaryIO) -> Iterator[Placed]:
    """Yield the elements of a document that is one array."""
    with io.TextIOWrapper(source, encoding="utf-8-sig") as text:
        yield from enumerate(read_array(text), start=1)


def read_wrapped_json(source: BinaryIO, notes: list[str]) -> Iterator[Placed]:
    """Yield the records of a document that is one object, as documents.py finds them."""
    with io.TextIOWrapper(source, encoding="utf-8-sig") as text:
        yield from enumerate(read_document(text, notes), start=1)


def read_json_lines(source: BinaryIO) -> Iterator[Placed]:
    """Yield the objects of a file that holds one a line; empty lines and comments count as lines but hold no object."""
    for number, line in enumerate(decode_lines(source), start=1):
        if line.strip() and not line.lstrip().startswith(COMMENTS):
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                fault = f"{error.msg} at column {error.colno}"
                raise DamagedFile(f"line {number}: this is no JSON object ({fault}); fix or remove the line") from None
            except RecursionError:
                raise DamagedFile(f"line {number}: lists or objects are nested too deeply") from None
            except ValueError as error:  # a number of more digits than Python reads
                raise DamagedFile(f"line {number}: {error}") from None


def read_parquet(source: BinaryIO, folder: Path | None) -> Iterator[Placed]:
    """Yield the rows, some pages of a row group at a time.

    Parquet is read from its end, so a packed file is unpacked onto the disk, into `folder`.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes a quarter of a second, which other formats should not spend
    from pyarrow import parquet  # noqa: PLC0415

    row = 0
    with tempfile.TemporaryFile(dir=folder) as copy:
        if isinstance(source, gzip.GzipFile):
            shutil.copyfileobj(source, copy, CHUNK_BYTES)
        try:
            with parquet.ParquetFile(copy if copy.tell() else source, buffer_size=CHUNK_BYTES) as file:
                for batch in file.iter_batches(batch_size=PARQUET_ROWS, use_threads=False):
                    for record in batch.to_pylist():
                        row += 1
                        yield row, record
        except (pa.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise DamagedFile(f"after row {row}: this is no whole Parquet file ({reason:.200}); fetch it again") from None


def decode_lines(source: BinaryIO) -> Iterator[str]:
    """Yield the lines with their ends, which only a line feed makes."""
    for number, line in enumerate(source):
        yield line.decode("utf-8" if number else "utf-8-sig")
