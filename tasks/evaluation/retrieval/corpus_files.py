"""Corpora as users have them, opened as memory-mapped Arrow tables.

    folder      as the `datasets` library's `save_to_disk` writes it: `data-*.arrow`, Arrow IPC streams whose order stands in
                `state.json` (`_data_files`); without that file, in the order of their names
    .arrow      one such stream, or a file in Arrow's file format (Feather)
    .parquet    with the same columns
    .jsonl      an object a line, with the same names

Parquet and JSON Lines are converted once, batch by batch, to a temporary Arrow file that has lost its name while it is used.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.evaluation.config.nearby_files import describe_nearby
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.retrieval.corpus import COLUMNS, EMBEDDINGS, METADATA, PATH, TEXT, Corpus

if TYPE_CHECKING:
    import pyarrow as pa

STATE_FILE, DATA_FILES, MERGED = "state.json", "_data_files", "all_merged"
LINE_SUFFIXES = (".jsonl", ".ndjson", ".jl")
SUFFIXES = (".arrow", ".parquet", *LINE_SUFFIXES)
# Of these a temporary copy is read.
CONVERTED = (".parquet", *LINE_SUFFIXES)
ROWS_AT_ONCE = 2_000
SETTING = "rag.retriever_config.faiss_config.dataset_dir"


def open_corpus(paths: Sequence[str], config_folder: Path, own_folder: Path | None = None) -> Corpus:
    """Return the corpus of these files and folders, one after another.

    Args:
        paths: relative to the working directory, or else to the configuration's folder.
        config_folder: the configuration's folder.
        own_folder: where temporary copies lie; None: where the system's do.

    Raises:
        UserMistake: one of them does not exist, cannot be read, or holds no corpus.
    """
    files = [file for path in paths for file in _list_all(_find(path, config_folder))]
    tables = _open(files, own_folder)
    has_vectors = {EMBEDDINGS in table.column_names for table in tables}
    if len(has_vectors) > 1:
        raise UserMistake(f"some files of the corpus {', '.join(paths)} have the column {EMBEDDINGS} and others do not")
    return Corpus(tables, ", ".join(paths), [file for file in files if file.suffix not in CONVERTED])


def _find(given: str, config_folder: Path) -> Path:
    """Return the path of a corpus.

    Raises:
        UserMistake: there is nothing at it.
    """
    path = Path(given)
    found = next((each for each in (path, config_folder / path) if each.exists()), None)
    if found is None:
        raise UserMistake(
            f"there is no corpus at {given} ({SETTING}); {describe_nearby(given, SUFFIXES)}. "
            "Fix the path, or ask without retrieval with --no-rag"
        )
    return found


def _list_all(path: Path) -> list[Path]:
    return _list_files(path) if path.is_dir() else [path]


def _open(files: Sequence[Path], own_folder: Path | None) -> list["pa.Table"]:
    import pyarrow as pa  # noqa: PLC0415 - it costs a tenth of a second

    tables = []
    for file in files:
        try:
            table = _map(file, own_folder)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise UserMistake(f"cannot read the corpus file {file}: {str(error).splitlines()[0]}") from None
        if TEXT not in table.column_names:
            raise UserMistake(f"{file} holds no corpus: it has no column {TEXT!r}, but {', '.join(table.column_names)}")
        tables.append(table.select([name for name in COLUMNS if name in table.column_names]))
    return tables


def _list_files(folder: Path) -> list[Path]:
    """Return the files of a folder that `save_to_disk` wrote, in order.

    Raises:
        UserMistake: it is no such folder.
    """
    state = folder / STATE_FILE
    if state.is_file():
        try:
            names = [entry["filename"] for entry in json.loads(state.read_bytes())[DATA_FILES]]
        except (ValueError, LookupError, TypeError, OSError) as error:
            raise UserMistake(f"cannot read {state}, which names the files of the corpus: {error!r}") from None
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise UserMistake(f"the corpus {folder} is not complete: {missing[0]} is missing, which {state.name} names")
        return [folder / name for name in names]
    if (folder / MERGED / STATE_FILE).is_file():
        return _list_files(folder / MERGED)
    files = sorted(each for each in folder.iterdir() if each.suffix in SUFFIXES)
    if not files:
        raise UserMistake(
            f"{folder} holds no corpus: neither {STATE_FILE} nor a file {', '.join(f'*{each}' for each in SUFFIXES)}"
        )
    return files


def _map(path: Path, own_folder: Path | None) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415

    if path.suffix == ".parquet":
        return _convert(_read_parquet(path), own_folder)
    if path.suffix in LINE_SUFFIXES:
        return _convert(_read_lines(path), own_folder)
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_file(source).read_all()


def _convert(batches: Iterator["pa.RecordBatch"], own_folder: Path | None) -> "pa.Table":
    """Return the batches as a table in a temporary file, which is gone when nothing uses the table."""
    import pyarrow as pa  # noqa: PLC0415

    first = next(batches, None)
    if first is None:
        return pa.table({TEXT: pa.array([], pa.string())})
    with tempfile.NamedTemporaryFile(dir=own_folder, prefix=".mcqa_corpus_", suffix=".tmp") as file:
        with pa.OSFile(file.name, "wb") as sink, pa.ipc.new_stream(sink, first.schema) as writer:
            writer.write_batch(first)
            for batch in batches:
                writer.write_batch(batch)
        return pa.ipc.open_stream(pa.memory_map(file.name)).read_all()


def _read_parquet(path: Path) -> Iterator["pa.RecordBatch"]:
    from pyarrow import parquet  # noqa: PLC0415

    file = parquet.ParquetFile(path)
    if TEXT not in file.schema_arrow.names:
        raise ValueError(f"it has no column {TEXT!r}, but {', '.join(file.schema_arrow.names)}")
    columns = [name for name in COLUMNS if name in file.schema_arrow.names]
    yield from file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns)


def _read_lines(path: Path) -> Iterator["pa.RecordBatch"]:
    """Yield the lines' records; what they say under `metadata` may differ from line to line, and is kept as JSON."""
    import pyarrow as pa  # noqa: PLC0415

    with path.open(encoding="utf-8-sig") as file:
        numbered = ((number, line) for number, line in enumerate(file, start=1) if line.strip())
        has_vectors: bool | None = None
        while rows := [_parse(line, number) for number, line in islice(numbered, ROWS_AT_ONCE)]:
            if has_vectors is None:
                has_vectors = EMBEDDINGS in rows[0]
            columns = {
                TEXT: pa.array([row[TEXT] for row in rows], pa.string()),
                PATH: pa.array([_as_text(row.get(PATH)) for row in rows], pa.string()),
                METADATA: pa.array([json.dumps(row.get(METADATA) or {}) for row in rows], pa.string()),
            }
            if has_vectors:
                columns[EMBEDDINGS] = pa.array([row.get(EMBEDDINGS) for row in rows], pa.list_(pa.float32()))
            yield pa.record_batch(columns)


def _parse(line: str, number: int) -> JsonObject:
    record: JsonValue = json.loads(line)
    if not isinstance(record, dict) or not isinstance(record.get(TEXT), str):
        raise ValueError(f"line {number}: an object with {TEXT!r} was expected")  # noqa: TRY004 - as a line that is no JSON
    return record


def _as_text(value: JsonValue) -> str:
    return "" if value is None else str(value)
