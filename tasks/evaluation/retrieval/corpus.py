"""A corpus: chunks of text, most with a vector each, in Arrow tables that lie in memory-mapped files.

Chunks are numbered through all tables, from 0. Nothing of the corpus is held in memory beyond what is looked at: the tables'
pages belong to the system's file cache.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b, sha256
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.retrieval.arrays import AnyArray, Vectors, choose_block_rows

if TYPE_CHECKING:
    import pyarrow as pa

TEXT, EMBEDDINGS, PATH, METADATA = "text", "embeddings", "path", "metadata"
COLUMNS = (TEXT, EMBEDDINGS, PATH, METADATA)
# A vector counts as of unit length within this; half precision rounds by about a thousandth.
UNIT_TOLERANCE = 5e-3
ID_DIGITS = 16
# Rows whose texts are in memory at once while all are read.
ROWS_AT_ONCE = 5_000
# A chunk is read for a question, and again for its result; and many questions share some.
CHUNKS_AT_HAND = 4_096


@dataclass(frozen=True)
class Chunk:
    """A piece of the corpus."""

    index: int
    """Its place in the corpus, from 0."""
    text: str
    """What it says."""
    path: str
    """The document that it comes from; empty if the corpus does not say."""
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    """What else the corpus says about it."""

    @property
    def chunk_id(self) -> str:
        """Return its id, in the original scorer's form."""
        digest = sha256(self.path.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{digest[:ID_DIGITS]}_{self.index:04d}"


class Corpus:
    """The chunks of one or several tables.

    Args:
        tables: with the columns `text` and perhaps `embeddings`, `path` and `metadata`.
        name: where it comes from, for messages.
        files: that lie in memory as they are, and must not change meanwhile.

    Raises:
        UserMistake: it holds no chunks, or its vectors differ in length.
    """

    def __init__(self, tables: Sequence["pa.Table"], name: str, files: Sequence[Path] = ()) -> None:
        self.name = name
        self._stamps = {file: _read_stamp(file) for file in files}
        self._batches: list[pa.RecordBatch] = [batch for table in tables for batch in table.to_batches() if batch.num_rows]
        self._ends = list(accumulate(batch.num_rows for batch in self._batches))
        if not self._batches:
            raise UserMistake(f"the corpus {name} holds no chunks")
        self._columns = [
            {name: batch.column(name) for name in (TEXT, PATH, METADATA) if name in batch.schema.names}
            for batch in self._batches
        ]
        self._read = lru_cache(maxsize=CHUNKS_AT_HAND)(self._read_chunk)
        self.dimension = self._measure_dimension()
        self._views: dict[int, AnyArray] = {}

    def __len__(self) -> int:
        count: int = self._ends[-1]
        return count

    def __getitem__(self, index: int) -> Chunk:
        return self._read(index)

    def _read_chunk(self, index: int) -> Chunk:
        place = bisect_right(self._ends, index)
        row = index - (self._ends[place - 1] if place else 0)
        found = {name: column[row].as_py() for name, column in self._columns[place].items()}
        metadata = _read_metadata(found.get(METADATA))
        path = found.get(PATH) or metadata.get(PATH) or ""
        return Chunk(index, str(found[TEXT] or ""), str(path), metadata)

    @property
    def has_vectors(self) -> bool:
        """Return True if its chunks have vectors."""
        return self.dimension > 0

    @cached_property
    def digest(self) -> str:
        """Return 32 hexadecimal digits that tell its texts, paths, metadata and vectors from those of others.

        They are the same for the same chunks in the same order, in whichever files these lie.
        """
        digests = {name: blake2b(digest_size=16) for name in COLUMNS}
        for batch in self._batches:
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                for name, digest in digests.items():
                    digest.update(_serialize(batch.slice(start, ROWS_AT_ONCE), name))
        return blake2b(b"".join(digest.digest() for digest in digests.values()), digest_size=16).hexdigest()

    def find_changed_file(self) -> Path | None:
        """Return a file that has changed since the corpus was opened, so that its chunks are no longer what they were."""
        return next((file for file, stamp in self._stamps.items() if _read_stamp(file) != stamp), None)

    def texts(self) -> Iterator[str]:
        """Yield the chunks' texts, in order."""
        for batch in self._batches:
            yield from (str(text or "") for text in batch.column(TEXT).to_pylist())

    def blocks(self) -> Iterator[tuple[int, Vectors]]:
        """Yield the vectors in blocks of bounded size, each with the place of its first."""
        rows = choose_block_rows(self.dimension)
        first = 0
        for batch in self._batches:
            for start in range(0, batch.num_rows, rows):
                yield first + start, self._vectors_of(batch.slice(start, rows), first + start)
            first += batch.num_rows

    def vectors(self, indices: Sequence[int]) -> Vectors:
        """Return the vectors at these places."""
        found = np.empty((len(indices), self.dimension), dtype=np.float32)
        for row, index in enumerate(indices):
            found[row] = self._vector(index)
        return found

    def is_normalized(self) -> bool:
        """Return True if all vectors are of unit length."""
        return all(bool((abs(np.linalg.norm(block, axis=1) - 1) <= UNIT_TOLERANCE).all()) for _, block in self.blocks())

    def _vector(self, index: int) -> AnyArray:
        place = bisect_right(self._ends, index)
        first = self._ends[place - 1] if place else 0
        view = self._views.get(place)
        if view is None:
            view = self._views[place] = self._view(self._batches[place], first)
        vector: AnyArray = view[index - first]
        return vector

    def _measure_dimension(self) -> int:
        """Return the length of the vectors; 0 if a table has none."""
        if any(EMBEDDINGS not in batch.schema.names for batch in self._batches):
            return 0
        columns = [batch.column(EMBEDDINGS) for batch in self._batches]
        if not all(_holds_vectors(column) for column in columns):
            raise UserMistake(f"the corpus {self.name}: the column {EMBEDDINGS!r} holds no lists of numbers: embed it again")
        known = next((column.drop_null() for column in columns if column.null_count < len(column)), None)
        if known is None:
            raise UserMistake(f"the corpus {self.name}: the column {EMBEDDINGS!r} is empty: embed it again")
        return len(known[0].as_py())

    def _vectors_of(self, batch: "pa.RecordBatch", first: int) -> Vectors:
        block: Vectors = np.asarray(self._view(batch, first), dtype=np.float32)
        if not np.isfinite(block).all():
            raise UserMistake(f"the corpus {self.name}: a vector of the chunks from {first:,} on is not finite: embed it again")
        return block

    def _view(self, batch: "pa.RecordBatch", first: int) -> AnyArray:
        """Return the batch's vectors as they are in the file, one a row."""
        from pyarrow import compute  # noqa: PLC0415 - it costs a tenth of a second

        column = batch.column(EMBEDDINGS)
        values, lengths = _flatten(column), compute.min_max(compute.list_value_length(column)).as_py()
        if column.null_count or {*lengths.values()} != {self.dimension}:
            raise UserMistake(
                f"the corpus {self.name}: the chunks from {first:,} on have vectors of other lengths than {self.dimension}, "
                "or none: embed it again as a whole"
            )
        return values.reshape(batch.num_rows, self.dimension)


def _read_stamp(file: Path) -> tuple[int, ...]:
    """Return what tells the file's content from an earlier one; empty if there is no such file."""
    with suppress(OSError):
        found = file.stat()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return ()


def _read_metadata(value: object) -> dict[str, JsonValue]:
    """Return a chunk's metadata: an object, or one that is kept as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _serialize(rows: "pa.RecordBatch", name: str) -> bytes:
    """Return the bytes of a column by which its values are told from others, however they are stored."""
    if name == EMBEDDINGS:
        return _flatten(rows.column(name)).astype("<f4").tobytes() if name in rows.schema.names else b""
    values = rows.column(name).to_pylist() if name in rows.schema.names else [None] * rows.num_rows
    texts = [_write_metadata(value) if name == METADATA else str(value or "") for value in values]
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return b"".join(len(text).to_bytes(8, "big") + text for text in encoded)


def _write_metadata(value: object) -> str:
    """Return a chunk's metadata as JSON; a member without a value is one that is missing."""
    known = {name: member for name, member in _read_metadata(value).items() if member is not None}
    return json.dumps(known, sort_keys=True, default=str)


def _holds_vectors(column: "pa.Array") -> bool:
    import pyarrow as pa  # noqa: PLC0415

    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def _flatten(column: "pa.Array") -> AnyArray:
    """Return the numbers of a column of lists, one after another, without copying them where possible."""
    values: AnyArray = column.flatten().to_numpy(zero_copy_only=False)
    return values
