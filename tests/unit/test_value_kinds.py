"""Whatever a field holds in different questions, one column takes it all."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.evaluation.exporting.csv_file import FORMULA, format_cell
from tasks.evaluation.exporting.exports import export_run
from tasks.evaluation.exporting.parquet_file import make_arrow_type
from tasks.evaluation.exporting.value_kinds import Kind, convert, settle, widen
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.support.saved_runs import save_results, scored

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8
)


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_every_column_takes_its_values(values: list[JsonValue]) -> None:
    """None stays None, and nothing else becomes None."""
    kind: Kind = "none"
    for value in values:
        kind = widen(kind, value)
    kind = settle(kind)
    column = pa.array([convert(kind, value) for value in values], make_arrow_type(kind)).to_pylist()
    assert [value is None for value in column] == [value is None for value in values]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_are_exact(values: list[int]) -> None:
    """All of them that 64 bits hold."""
    kind: Kind = "none"
    for value in values:
        kind = widen(kind, value)
    assert kind == "whole"
    assert pa.array([convert(kind, value) for value in values], make_arrow_type(kind)).to_pylist() == values


@settings(max_examples=30)  # five files, forced to disk, for each
@given(st.lists(VALUES, min_size=1, max_size=4))
def test_every_format_takes_every_field(values: list[JsonValue]) -> None:
    """And JSON Lines give it back as it was."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        records = [
            scored(number, 1, fields={"f": value}, model_answer=json.dumps(value)) for number, value in enumerate(values, 1)
        ]
        run = open_saved_run(save_results(folder / "results.json", records))
        count = len(values)
        assert export_run(run, "csv", folder / "out.csv", overwrite=False) == count
        assert export_run(run, "parquet", folder / "out.parquet", overwrite=False) == count
        assert export_run(run, "inspect", folder / "out.eval", overwrite=False) == count
        assert export_run(run, "lm-eval", folder / "out", overwrite=False) == count
        assert export_run(run, "jsonl", folder / "out.jsonl", overwrite=False) == count
        lines = (folder / "out.jsonl").read_bytes().split(b"\n")[:-1]
        assert [json.loads(line) for line in lines] == [json.loads(json.dumps(record)) for record in records]


@given(st.text(st.sampled_from("'=+-@\t\r1.eax"), max_size=6))
def test_a_cell_gives_its_text_back(text: str) -> None:
    """By the rule that the documentation states."""
    cell = format_cell(text)
    assert (cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell) == text
