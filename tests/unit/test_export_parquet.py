"""`mcqa export --to parquet`: typed columns, nested values, and fields whose type changes between questions."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from tasks.evaluation.exporting.exports import export_run
from tasks.evaluation.exporting.parquet_file import BYTES_IN_GROUP
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.support.saved_runs import describe_run, refused, save_results, scored, unusable


def export(folder: Path, records: Sequence[JsonObject], *, model: str = "some-model") -> Path:
    """Export the records, and return the table's path."""
    results = save_results(folder / f"{model}.json", records, describe_run(len(records), model=model))
    path = folder / f"{model}.parquet"
    assert export_run(open_saved_run(results), "parquet", path, overwrite=False) == len(records)
    return path


def export_field(folder: Path, *values: JsonValue) -> "pa.ChunkedArray":
    """Return the column of a field with these values, one a question."""
    records = [scored(number, 1, fields={"field": value}) for number, value in enumerate(values, start=1)]
    return parquet.read_table(export(folder, records))["fields"].combine_chunks().field("field")


def test_pandas_reads_typed_columns(tmp_path: Path) -> None:
    """Numbers, booleans and texts; a question without a score has none."""
    table = pd.read_parquet(export(tmp_path, [scored(1, 1), scored(2, 0.25), refused(3), unusable(4)]))
    assert table["score"].dtype == "float64"
    assert table["score"].mean() == 0.625
    assert table["skipped"].tolist() == [False, False, True, True]
    assert table["error"].tolist()[2:] == ["no", "Missing question or answer"]
    assert table["stem"][0] == "Question 1?"
    assert table["choices"][0][1] == {"label": "B", "text": "two"}


def test_files_of_different_runs_have_the_same_documented_columns(tmp_path: Path) -> None:
    """So that they can be put together, also where one has refused questions alone."""
    one = parquet.read_schema(export(tmp_path, [scored(1, 1)], model="a"))
    other = parquet.read_schema(export(tmp_path, [refused(1)], model="b"))
    assert one.equals(other)


def test_nested_fields_stay_nested(tmp_path: Path) -> None:
    """Members that only some questions have are null in the others."""
    column = export_field(tmp_path, {"year": 2020, "tags": ["a"]}, {"year": 1.5, "pages": {"from": 3}}, None)
    assert column.to_pylist() == [
        {"year": 2020.0, "tags": ["a"], "pages": None},
        {"year": 1.5, "tags": None, "pages": {"from": 3}},
        None,
    ]


def test_a_field_of_changing_type_is_text(tmp_path: Path) -> None:
    """Texts as they are, everything else as JSON."""
    values: list[JsonValue] = ["physics", 3, True, {"a": [1, "é"]}, [None], None]
    column = export_field(tmp_path, *values)
    assert column.to_pylist() == ["physics", "3", "true", '{"a": [1, "é"]}', "[null]", None]


def test_numbers_keep_their_type(tmp_path: Path) -> None:
    """Whole numbers stay whole; with fractions among them they are numbers; those of more than 64 bits are text."""
    assert export_field(tmp_path, 1, -(2**63)).type == pa.int64()
    (tmp_path / "some-model.parquet").unlink()
    assert export_field(tmp_path, 1, 2.5, 2**62 + 1).to_pylist() == [1.0, 2.5, float(2**62)]
    (tmp_path / "some-model.parquet").unlink()
    assert export_field(tmp_path, 1, 2**63).to_pylist() == ["1", "9223372036854775808"]


def test_an_object_without_members_is_kept(tmp_path: Path) -> None:
    """As text, since Parquet cannot hold it otherwise."""
    assert export_field(tmp_path, {"a": {}}, {"a": None}).to_pylist() == [{"a": "{}"}, {"a": None}]


def test_an_object_with_too_many_names_is_text(tmp_path: Path) -> None:
    """Names that differ from question to question are data, not columns."""
    column = export_field(tmp_path, {f"user {number}": 1 for number in range(1001)})
    assert column.type == pa.string()


def test_deep_nesting_ends_in_text(tmp_path: Path) -> None:
    """However deep a question's record is."""
    deep: JsonValue = "bottom"
    deep = [[[[[[[[[[[[[[[[[[[[deep]]]]]]]]]]]]]]]]]]]]  # fmt: skip
    column = export_field(tmp_path, deep)
    assert '[["bottom"]]' in str(column.to_pylist())


def test_token_probabilities_are_a_map(tmp_path: Path) -> None:
    """Their names differ from question to question."""
    records = [scored(1, 1, token_logprobs={"A": -1, "\ud800": -2.5}), scored(2, 1, token_logprobs={})]
    column = parquet.read_table(export(tmp_path, records))["token_logprobs"]
    assert column.to_pylist() == [[("A", -1.0), ("\ufffd", -2.5)], []]


def test_repeats_stay_nested(tmp_path: Path) -> None:
    """Each with its own score, of the same type in every file."""
    repeats: list[JsonValue] = [{"model_answer": "A", "score": 1}, {"model_answer": "B", "score": 0}]
    column = parquet.read_table(export(tmp_path, [scored(1, 0.5, repeats=repeats)]))["repeats"]
    assert column.to_pylist() == [[{"model_answer": "A", "score": 1.0}, {"model_answer": "B", "score": 0.0}]]


def test_hostile_texts_are_kept(tmp_path: Path) -> None:
    """Quotes, NUL, line breaks, emoji; half a surrogate pair has no form in UTF-8."""
    hostile = '=1+1"\0\r\n\u2028🙂\x1b'
    table = parquet.read_table(export(tmp_path, [scored(1, 1, model_answer=hostile), scored(2, 1, model_answer="a\ud800")]))
    assert table["model_answer"].to_pylist() == [hostile, "a\ufffd"]


def test_large_texts_are_written_in_small_groups(tmp_path: Path) -> None:
    """Memory does not grow with the number of questions."""
    large = "x" * (BYTES_IN_GROUP // 2)
    file = parquet.ParquetFile(export(tmp_path, [scored(number, 1, model_answer=large) for number in (1, 2, 3)]))
    assert (file.num_row_groups, file.metadata.num_rows) == (2, 3)


def test_the_file_says_what_was_run(tmp_path: Path) -> None:
    """In its key-value metadata."""
    schema = parquet.read_schema(export(tmp_path, [scored(1, 1)]))
    assert b'"model": "some-model"' in schema.metadata[b"mcqa_flow"]
