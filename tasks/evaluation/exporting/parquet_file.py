"""Results as Parquet: a typed column for each member of the records, what is nested kept nested.

Columns are the members of the results' records, of which the documented ones are always there and of the same type, and two
more: `stem` and `choices`, a list of `{label, text}`. Objects are structs, lists are lists, token probabilities are maps.
`fields` is a struct of the question's other fields; one that has other types in other questions is text, as `value_kinds` says.
The file's key-value metadata hold the run's own under `mcqa_flow`, as JSON. Compressed with Zstandard.

Texts are exact, except that half a surrogate pair, which has no form in UTF-8, becomes U+FFFD.
"""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from tasks.evaluation.exporting.questions import part_record
from tasks.evaluation.exporting.value_kinds import Items, Kind, Members, Numbers, Scalar, convert, settle, widen
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import SavedRun

if TYPE_CHECKING:
    import pyarrow as pa

# Records become a batch of columns early, since they take ten times as much memory as Python objects.
ROWS_IN_BATCH = 250
CHARACTERS_IN_BATCH = 1 << 21
# A row group is held in memory while it is written. Readers skip and parallelize by row groups, so they are not small either.
ROWS_IN_GROUP = 100_000
BYTES_IN_GROUP = 1 << 26
ARROW_NAMES: dict[Scalar, str] = {
    "none": "null",
    "boolean": "bool",
    "whole": "int64",
    "number": "float64",
    "text": "string",
}


def write_parquet(run: SavedRun, file: BinaryIO) -> int:
    """Write the table; return the number of questions.

    The records are read twice: the first time for the types of the columns.

    Raises:
        OSError: it cannot be written.
        UserMistake: the results are damaged.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes a quarter of a second, which other formats should not spend
    from pyarrow import parquet  # noqa: PLC0415

    columns = find_columns(run)
    metadata = json.dumps(run.metadata).encode()
    schema = pa.schema([(name, make_arrow_type(kind)) for name, kind in columns.kinds.items()], {"mcqa_flow": metadata})
    rows = (convert(columns, add_parts(record)) for record in run.read_records())
    batches = (pa.RecordBatch.from_pylist(batch, schema) for batch in cut_batches(rows))
    count = 0
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in cut_groups(batches):
            writer.write_table(pa.Table.from_batches(group, schema), row_group_size=ROWS_IN_GROUP)
            count += sum(batch.num_rows for batch in group)
    return count


def find_columns(run: SavedRun) -> Members:
    """Return the kind of each column.

    Raises:
        UserMistake: the results are damaged.
    """
    columns = make_documented_columns()
    for record in run.read_records():
        for name, value in add_parts(record).items():
            columns.kinds[name] = widen(columns.kinds.get(name, "none"), value, name)
    return Members({name: settle(kind) for name, kind in columns.kinds.items()})


def make_documented_columns() -> Members:
    """Return the columns that every file has, so that files of different runs can be put together."""
    usage: dict[str, Kind] = {"prompt_tokens": "whole", "completion_tokens": "whole", "total_tokens": "whole"}
    evaluation: dict[str, Kind] = {
        **dict.fromkeys(("reference_choice", "model_choice", "reasoning", "format"), "text"),
        "score": "number",
        "truncated": "boolean",
        "no_choice": "boolean",
    }
    return Members(
        {
            "question_id": "whole",
            "score": "number",
            "question": "text",
            "stem": "text",
            "choices": Items(Members({"label": "text", "text": "text"})),
            **dict.fromkeys(("reference_answer", "model_answer", "format"), "text"),
            "evaluation": Members(evaluation),
            "skipped": "boolean",
            "error": "text",
            "usage": Members({"generator": Members({**usage}), "grader": Members({**usage})}),
            "repeats": Items(Members({"model_answer": "text", "score": "number"})),
            **dict.fromkeys(("finish_reason", "response_model", "reasoning"), "text"),
            **dict.fromkeys(("model_time_seconds", "evaluation_time_seconds"), "number"),
            **dict.fromkeys(("answer_id", "score_id"), "text"),
        }
    )


def add_parts(record: JsonObject) -> JsonObject:
    """Return the record with its question's `stem` and `choices`."""
    parts = part_record(record)
    choices: list[JsonValue] = [{"label": label, "text": text} for label, text in parts.choices.items()]
    return {**record, "stem": parts.stem or None, "choices": choices or None}


def cut_batches(rows: Iterable[JsonValue]) -> Iterator[list[JsonValue]]:
    """Yield the rows in lists of bounded size."""
    batch: list[JsonValue] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += count_characters(row)
        if len(batch) == ROWS_IN_BATCH or characters >= CHARACTERS_IN_BATCH:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def cut_groups(batches: Iterable["pa.RecordBatch"]) -> Iterator[list["pa.RecordBatch"]]:
    """Yield the batches in lists of bounded size, a row group each."""
    group: list[pa.RecordBatch] = []
    rows = size_bytes = 0
    for batch in batches:
        group.append(batch)
        rows, size_bytes = rows + batch.num_rows, size_bytes + batch.nbytes
        if rows >= ROWS_IN_GROUP or size_bytes >= BYTES_IN_GROUP:
            yield group
            group, rows, size_bytes = [], 0, 0
    if group:
        yield group


def count_characters(value: JsonValue) -> int:
    """Return the number of characters in all texts of the value; another value counts as one."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(count_characters, value.values()))
    return sum(map(count_characters, value)) if isinstance(value, list) else 1


def make_arrow_type(kind: Kind) -> "pa.DataType":
    """Return Arrow's type for a kind."""
    import pyarrow as pa  # noqa: PLC0415

    if isinstance(kind, Items):
        return pa.list_(make_arrow_type(kind.kind))
    if isinstance(kind, Numbers):
        return pa.map_(pa.string(), pa.float64())
    if isinstance(kind, Members):
        return pa.struct([(name, make_arrow_type(each)) for name, each in kind.kinds.items()])
    return pa.type_for_alias(ARROW_NAMES[kind])
