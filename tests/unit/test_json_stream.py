"""JSON documents are read an element at a time, and a damaged one is always noticed."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import from_line, to_line
from tasks.evaluation.storage import json_stream
from tasks.evaluation.storage.json_stream import read_array, read_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every value cross the edge of a chunk."""
    monkeypatch.setattr(json_stream, "CHUNK_CHARACTERS", 3)


@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 1, 4]))
def test_an_array_is_read_as_json_reads_it(values: list[object], indent: int | None) -> None:
    """Whatever the layout, and wherever a chunk ends."""
    assert list(read_array(io.StringIO(json.dumps(values, indent=indent)))) == values


@given(st.lists(VALUES, min_size=1, max_size=4), st.data())
def test_a_document_that_ends_early_is_damaged(values: list[object], data: st.DataObject) -> None:
    """No prefix of a document passes for the document."""
    text = json.dumps(values)
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(DamagedFile):
        list(read_array(io.StringIO(text[:cut])))


def test_an_object_gives_its_streamed_array_element_by_element() -> None:
    """All other members come whole, in their order."""
    source = io.StringIO('{"a": 1, "results": [{"x": 1}, {"x": 2}], "b": [3]}')
    members = list(read_object(source, streamed="results"))
    assert members == [("a", 1), ("results", {"x": 1}), ("results", {"x": 2}), ("b", [3])]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[{"a": 1},\n {"b" 2}]', "line 2, column 7"),
        ("[1, 2,]", "line 1, column 7"),
        ('["a", "b", "c", "d" "e"', "line 1, column 21"),
        ('["a", "b", ["c" "d"', "line 1, column 17"),
        ('{"a": 1}', "line 1"),
        ("[1] 2", "line 1"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str) -> None:
    """Lines and columns count from 1."""
    with pytest.raises(DamagedFile, match=place):
        list(read_array(io.StringIO(text)))


@given(st.dictionaries(st.text(), VALUES))
def test_a_line_gives_its_record_back(record: dict[str, object]) -> None:
    """And it is one line of UTF-8, whatever the record holds."""
    line = to_line(record)
    assert b"\n" not in line
    line.decode()
    assert from_line(line) == record


def test_half_a_surrogate_pair_survives() -> None:
    """It has no UTF-8 form, so it is written as an escape."""
    assert from_line(to_line({"a": "\ud800"})) == {"a": "\ud800"}


@pytest.mark.parametrize(
    "value",
    ["NaN", "-Infinity", "1e400", "18446744073709551616", "-9223372036854775809", "1E5", "-0", "5.1e-05", '"\\ud800"', "[1.0]"],
)
def test_a_line_is_read_as_the_standard_library_reads_it(value: str) -> None:
    """Also what other readers round, or refuse."""
    line = f'{{"a":{value}}}'.encode()
    assert repr(from_line(line)) == repr(json.loads(line))


@pytest.mark.parametrize("line", [b"", b"[1]", b"1", b'{"a":1', b'{"a":1}}', b'{"a":\xff}', b'{"a":' + b"[" * 100_000])
def test_a_line_that_is_no_record_is_an_error(line: bytes) -> None:
    """Of one kind, whatever is wrong."""
    with pytest.raises(ValueError, match=r".+"):
        from_line(line)
