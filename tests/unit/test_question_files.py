"""Question files: the same questions in every format, and damage as one message that says where and how to fix it."""

import csv
import gzip
import io
import json
import math
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.files import find_format
from tasks.evaluation.questions.questions import Question, read_questions
from tests.support.parsed import parse_question

RECORDS = [
    {"question": "Which are even?\nA) 2, 4\nB) 3, 5", "answer": "A", "id": "q-1"},
    {"question": 'Who said "Ça va"?\r\n1) nobody\r\n2) François', "answer": "2", "id": "q-2"},
    {"question": "Capital of France?", "answer": "Paris", "id": "q-3"},
]
JSON_TEXT = json.dumps(RECORDS, ensure_ascii=False, indent=1)
LINES_TEXT = "".join(json.dumps(record) + "\n" for record in RECORDS)


def to_csv(delimiter: str = ",", line_end: str = "\n") -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(RECORDS[0]), delimiter=delimiter, lineterminator=line_end)
    writer.writeheader()
    writer.writerows(RECORDS)
    return text.getvalue()


def to_parquet() -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(RECORDS), sink, row_group_size=2)
    return sink.getvalue()


CONTENTS = {
    "exam.json": JSON_TEXT.encode(),
    "bom.json": JSON_TEXT.encode("utf-8-sig"),
    "wrapped.json": json.dumps({"metadata": {"made": "today"}, "questions": RECORDS, "count": 3}).encode(),
    "indented.json": json.dumps({"questions": RECORDS}, indent=2).encode(),
    "exam.jsonl": LINES_TEXT.encode(),
    "bom.jsonl": LINES_TEXT.replace("\n", "\r\n\r\n").encode("utf-8-sig"),
    "lines.json": LINES_TEXT.encode(),
    "lines": LINES_TEXT.encode(),
    "exam.csv": to_csv().encode(),
    "excel.csv": to_csv(";", "\r\n").encode("utf-8-sig"),
    "exam.tsv": to_csv("\t").encode(),
    "exam.parquet": to_parquet(),
    "parquet": to_parquet(),
}


def write(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def read(path: str) -> list[tuple[Question | None, JsonObject]]:
    with closing(read_questions(path, question_format="auto", uses_context=False)) as questions:
        return [(questions[place], questions.metadata(place)) for place in range(len(questions))]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", CONTENTS)
def test_the_same_questions_are_read_from_every_format(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    """Whatever the file is called, plain or packed: the same text, answer and id, to the character."""
    expected = read(write(tmp_path, "expected.json", CONTENTS["exam.json"]))
    assert len(expected) == 3
    suffix = "" if pack is bytes else ".gz"
    assert read(write(tmp_path, name + suffix, pack(CONTENTS[name]))) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": "c" "answer": 1}\n', "line 2: .*column 18"),
        ("a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": "c", "ans', "line 2: "),
        ("a.jsonl", b'{"question": "a", "answer": "b"}\n\n[' + b"[" * 100_000, "line 3: .*nested too deeply"),
        ("a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": "\xe9t\xe9"}\n', "line 2: it is not UTF-8 .*0xe9.*iconv"),
        ("a.json", b'[{"question": "a",\n "answer": "\xe9"}]', "line 2: it is not UTF-8 .*iconv"),
        ("a.csv", b"question,answer\na,b\n\xe9,c\n", "line 3: it is not UTF-8 .*iconv"),
        ("a.csv", b"question,answer\na,b\nc,d,e\n", "line 3: it has 3 cells, and the first line names 2 columns.*quotes"),
        ("a.csv", b'question,answer\na,b\n"c,d\n', "line 3: this is no row of CSV"),
        ("a.csv", b"question,answer,answer\na,b,c\n", "two columns are called 'answer'"),
        ("a.csv", b"frage,antwort\na,b\n", "no entry has a field `question`.*'frage', 'antwort'.*fields"),
        ("a.json", b'{"made": "today",\n "count": 3}', "an object with a list `questions`.*'made', 'count'"),
        ("a.json", b'{"x": [{"question": "a"}], "y": [{"question": "a"}]}', "this object holds several: 'x', 'y'"),
        ("a.csv", "question,answer\n".encode("utf-16"), "UTF-16.*iconv"),
        ("a.xlsx", b"PK\x03\x04...", "Excel workbook.*CSV"),
        ("a.json.zst", b"\x28\xb5\x2f\xfd...", "zstd"),
        ("a.json", b"", "it is empty"),
        ("a.parquet", to_parquet()[:-20], "after row 0: this is no whole Parquet file"),
        ("a.parquet", to_parquet().replace(b"PAR1", b"PAR0").replace(b"PAR0", b"PAR1", 1), "no whole Parquet file"),
        ("a.jsonl.gz", gzip.compress(CONTENTS["exam.jsonl"], mtime=0)[:-12], "after line .: the gzip file is cut short"),
        ("a.json.gz", gzip.compress(CONTENTS["exam.json"], mtime=0)[:-12], "the gzip file is cut short"),
        ("a.csv.gz", gzip.compress(CONTENTS["exam.csv"], mtime=0)[:30], "the gzip file is cut short"),
        ("a.parquet.gz", gzip.compress(to_parquet(), mtime=0)[:-12], "the gzip file is cut short"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The file, the line or row, and what to do about it."""
    path = write(tmp_path, name, content)
    with pytest.raises(UserMistake, match=f"(?s){name}.*{message}"):
        read(path)


def test_places_count_what_an_editor_counts(tmp_path: Path) -> None:
    """Lines of JSON Lines and CSV, cells with line breaks included; entries of a list; rows of Parquet."""
    lines = find_format(write(tmp_path, "a.jsonl", b'{"a": 1}\n\n{"a": 2}\n'))
    rows = find_format(write(tmp_path, "a.csv", b'a,b\n"x\ny",1\n\nz,2\n'))
    assert (lines.unit, [place for place, _ in lines.read()]) == ("line", [1, 3])
    assert (rows.unit, [place for place, _ in rows.read()]) == ("line", [2, 5])


def test_the_types_of_parquet_are_read_as_they_are_written(tmp_path: Path) -> None:
    """Decimals, dates, maps and lists; what is no number is no answer, and bytes are carried nowhere."""
    letters = pa.array([[("A", "two"), ("B", "three")], None, None, None], pa.map_(pa.string(), pa.string()))
    columns = {
        "question": ["Even?", "How much?", "When?", "How many?"],
        "choices": letters,
        "answer": pa.array(["A", "1.50", "2026-11-23", "nan"]),
        "made": pa.array([date(2026, 11, 23)] * 4),
        "price": pa.array([Decimal("1.50")] * 4),
        "weight": pa.array([1.5, math.nan, None, math.inf], pa.float64()),
        "image": pa.array([b"\x89PNG"] * 4),
        "tags": [["a", "b"]] * 4,
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    (first, metadata), *others = read(str(tmp_path / "a.parquet"))
    assert first == parse_question("Even?\n\nA) two\nB) three", "A")
    assert metadata == {"made": "2026-11-23", "price": "1.50", "weight": 1.5, "tags": ["a", "b"]}
    assert [set(each) for _, each in others] == [{"made", "price", "tags"}] * 3


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (pa.array([Decimal("1.50")]), "1.50"),
        (pa.array([date(2026, 11, 23)]), "2026-11-23"),
        (pa.array([7]), "7"),
        (pa.array([True]), "true"),
    ],
)
def test_an_answer_of_any_type_is_a_text(tmp_path: Path, answers: pa.Array, expected: str) -> None:
    """As it is written."""
    parquet.write_table(pa.table({"question": ["What?"], "answer": answers}), tmp_path / "a.parquet")
    assert read(str(tmp_path / "a.parquet")) == [(parse_question("What?", expected), {})]


def test_a_list_in_a_table_is_read_as_a_list(tmp_path: Path) -> None:
    """CSV has no lists: they are written as JSON, or as Python prints them."""
    content = "question,choices,answer\n" + """Even?,"[""2"", ""3""]",A\nOdd?,"['2', '3']",B\n"""
    questions = read(write(tmp_path, "a.csv", content.encode()))
    assert [question for question, _ in questions] == [
        parse_question("Even?\n\nA) 2\nB) 3", "A"),
        parse_question("Odd?\n\nA) 2\nB) 3", "B"),
    ]
