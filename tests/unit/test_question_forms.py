"""Files that hold their questions in another form than ours are read as they are meant, or refused with the reason."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.questions import Question, Questions, read_questions

RECORDS: list[dict[str, object]] = [
    {"question": "Which barks?", "A": "cat", "B": "dog", "answer": "B"},
    {"question": "Which purrs?", "A": "cat", "B": "dog", "answer": "A"},
]
ASKED = ["Which barks?\n\nA) cat\nB) dog", "Which purrs?\n\nA) cat\nB) dog"]


def read(folder: Path, name: str, content: str, fields: Fields | None = None) -> Questions:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return read_questions(str(path), question_format="auto", uses_context=False, fields=fields)


def list_texts(questions: Sequence[Question | None] | Questions) -> list[str]:
    return [question.text if question else "" for question in questions]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ({"data": RECORDS}, "list 'data'"),
        ({"version": 1, "examples": RECORDS}, "list 'examples'"),
        ({"test": RECORDS}, "list 'test'"),
        ({"features": [{"name": "question"}], "rows": [{"row_idx": 0, "row": row} for row in RECORDS]}, "list 'rows'"),
        ({"question": ["Which barks?", "Which purrs?"], "A": ["cat"] * 2, "B": ["dog"] * 2, "answer": ["B", "A"]}, "columns"),
        (
            {
                "question": {"0": "Which barks?", "1": "Which purrs?"},
                "A": {"0": "cat", "1": "cat"},
                "B": {"0": "dog", "1": "dog"},
                "answer": {"0": "B", "1": "A"},
            },
            "columns",
        ),
        ({"q1": RECORDS[0], "q2": RECORDS[1]}, "one object for each"),
        ({"questions": {"q1": RECORDS[0], "q2": RECORDS[1]}}, "one object for each"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_records_are_found_where_they_lie(tmp_path: Path, content: object, note: str, indent: int | None) -> None:
    """Under another key, in columns or in an object for each; and a note says where."""
    with closing(read(tmp_path, "exam.json", json.dumps(content, indent=indent))) as questions:
        assert list_texts(questions) == ASKED
        assert note in questions.notes[0]


def test_two_lists_that_may_be_the_questions_are_refused(tmp_path: Path) -> None:
    """None of them is guessed."""
    with pytest.raises(UserMistake, match="several: 'train', 'test'; keep one"):
        read(tmp_path, "exam.json", json.dumps({"train": RECORDS, "test": RECORDS}))


def test_one_line_of_json_lines_is_one_entry(tmp_path: Path) -> None:
    """Though it holds a list of objects."""
    record = {
        "question": "Which barks?",
        "choices": [{"text": "cat", "label": "A"}, {"text": "dog", "label": "B"}],
        "answer": "B",
    }
    with closing(read(tmp_path, "exam.jsonl", json.dumps(record))) as questions:
        assert list_texts(questions) == ASKED[:1]


def test_a_field_that_is_empty_everywhere_is_called_so(tmp_path: Path) -> None:
    """The message does not say that the field is missing."""
    with pytest.raises(UserMistake, match="no entry has words in its field 'question'"):
        read(tmp_path, "exam.json", json.dumps([{"question": "", "answer": "B"}]))


def note(folder: Path, records: list[dict[str, object]], fields: Fields | None = None) -> str:
    with closing(read(folder, "exam.json", json.dumps(records), fields)) as questions:
        return "\n".join(questions.notes)


PICTURE = "data:image/png;base64," + "A" * 20_000


@pytest.mark.parametrize(
    "field",
    [
        {"image": "cat.png"},
        {"scan": PICTURE},
        {"Picture": {"bytes": "iVBORw0KGgo", "path": None}},
        {"shots": [PICTURE, PICTURE]},
    ],
)
def test_a_picture_is_named_and_not_carried(tmp_path: Path, field: dict[str, object]) -> None:
    """Only text is sent; results do not hold a picture's bytes."""
    with closing(read(tmp_path, "exam.json", json.dumps([{**RECORDS[0], **field}]))) as questions:
        assert f"pictures are not sent: {next(iter(field))!r} (1 entry)" in questions.notes
        assert len(json.dumps(questions.metadata(0))) < 100


def test_what_is_large_is_carried_only_by_name(tmp_path: Path) -> None:
    """A result stays a line that people can open."""
    record = {**RECORDS[0], "log": "x" * 10_001, "topic": "pets"}
    with closing(read(tmp_path, "exam.json", json.dumps([record]))) as questions:
        assert questions.metadata(0) == {"topic": "pets"}
        assert "'log' is too large" in questions.notes[0]
    with closing(read(tmp_path, "exam.json", json.dumps([record]), Fields(carried=["log"]))) as questions:
        assert questions.metadata(0) == {"log": "x" * 10_001}


@pytest.mark.parametrize("name", ["passage", "context", "article"])
def test_a_passage_that_is_not_asked_is_named(tmp_path: Path, name: str) -> None:
    """With the settings that ask it."""
    said = note(tmp_path, [{**RECORDS[0], name: "A dog was heard."}])
    assert f"`fields: {{context: {name}}}` and `rag: {{use_context_field: true}}`" in said


@pytest.mark.parametrize("fields", [Fields(cluster_by="passage"), Fields(group_by="passage"), Fields(carried=["passage"])])
def test_a_passage_that_is_used_otherwise_is_not_missed(tmp_path: Path, fields: Fields) -> None:
    """Whoever names the field knows it."""
    assert note(tmp_path, [{**RECORDS[0], "passage": "p1"}], fields) == ""


def test_a_passage_that_is_named_as_the_context_and_not_asked_is_missed(tmp_path: Path) -> None:
    """Only the one of the two settings was given."""
    said = note(tmp_path, [{**RECORDS[0], "passage": "A dog was heard."}], Fields(context="passage"))
    assert "the passage in 'passage' (1 entry) is not asked" in said


def test_the_quickstart_is_told_nothing(tmp_path: Path) -> None:
    """Its first minute has no warning that its reader could do nothing about."""
    questions = json.loads(Path("deployments/quickstart/questions.json").read_text())
    assert note(tmp_path, questions) == ""


def test_right_choices_that_all_stand_at_one_place_are_a_note(tmp_path: Path) -> None:
    """From twenty questions on, with the setting that helps."""
    records = [{**RECORDS[0], "question": f"Which barks, {number}?"} for number in range(20)]
    assert "every right choice is B (20 questions)" in note(tmp_path, records)
    assert note(tmp_path, records[:19]) == ""
    assert note(tmp_path, records, Fields(shuffle_choices=True)) == ""


def test_a_file_of_which_nothing_can_be_asked_is_refused(tmp_path: Path) -> None:
    """The reason says which entries, and why."""
    with closing(read(tmp_path, "exam.json", json.dumps([{"question": "Which barks?"}] * 2))) as questions:
        assert "can be asked: no answer: 2 (entries 1, 2)" in questions.refusal
