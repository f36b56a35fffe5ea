"""Question files: what is read, what is selected, and what is listed as unusable."""

import json
import random
from contextlib import closing
from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.questions import Question, Questions, read_questions
from tasks.evaluation.questions.selection import Selection
from tests.support.fake_endpoint import make_questions, write_questions
from tests.support.parsed import parse_question

ALL = Selection(None, 0, None)


def read(path: Path, selection: Selection = ALL, **settings: object) -> list[Question | None]:
    with closing(open_questions(path, selection, **settings)) as questions:
        return list(questions)


def open_questions(path: Path, selection: Selection = ALL, **settings: object) -> Questions:
    chosen: dict[str, object] = {"question_format": "auto", "uses_context": False, **settings}
    return read_questions(str(path), **chosen).select(selection)  # type: ignore[arg-type]


def test_the_format_is_decided_question_by_question(tmp_path: Path) -> None:
    """A file may mix multiple choice with letters or numbers, and short answers."""
    path = write_questions(
        tmp_path,
        [
            {"question": "2+2?\nA) 3\nB) 4", "answer": "B"},
            {"question": "2+2?\n1) 3\n2) 4", "answer": 2},
            {"question": "Capital of France?", "answer": "Paris"},
        ],
    )
    formats = [question.format for question in read(path) if question]
    assert formats == ["mc", "mc", "qa"]


@pytest.mark.parametrize("question_format", ["mc", "qa"])
def test_a_given_format_holds_for_all(tmp_path: Path, question_format: str) -> None:
    """`question_format` other than auto decides for the file."""
    path = write_questions(tmp_path, [{"question": "Capital of France?", "answer": "Paris"}])
    assert [q.format for q in read(path, question_format=question_format) if q] == [question_format]


@pytest.mark.parametrize("record", [{"question": "x"}, {"answer": "A"}, {"question": " ", "answer": "A"}, "text", None, []])
def test_a_record_without_question_or_answer_keeps_its_place(tmp_path: Path, record: object) -> None:
    """It is listed, and the others' numbers do not change."""
    path = write_questions(tmp_path, [record, {"question": "Capital of France?", "answer": "Paris"}])
    assert read(path) == [None, parse_question("Capital of France?", "Paris")]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"answer": "Paris", "answers": ["Paris", "Paname"]}, ("Paris", ("Paname",))),
        ({"answer": ["Paris", "Paname", "Paris"]}, ("Paris", ("Paname",))),
        ({"answers": ["Paris", "Paname"]}, ("Paris", ("Paname",))),
        ({"answer": 13, "answers": ["thirteen", None, ""]}, ("13", ("thirteen",))),
    ],
)
def test_further_accepted_answers_are_read(
    tmp_path: Path, answers: dict[str, object], expected: tuple[str, tuple[str, ...]]
) -> None:
    """The first is the reference, and none comes twice."""
    [question] = read(write_questions(tmp_path, [{"question": "Capital of France?", **answers}]))
    assert question
    assert (question.reference, question.aliases) == expected


def test_the_sample_is_the_originals(tmp_path: Path) -> None:
    """`random.seed(42)`, then `random.sample(questions, 5)`."""
    records = make_questions(20)
    random.seed(42)
    expected = [record["question"] for record in random.sample(records, 5)]
    questions = read(write_questions(tmp_path, records), Selection(5, 42, None))
    assert [question.text for question in questions if question] == expected


@pytest.mark.parametrize(
    ("selection", "count"), [(Selection(20, 1, None), 20), (Selection(30, 1, None), 20), (Selection(9, 1, 4), 4)]
)
def test_the_selection_is_never_larger_than_asked_for(tmp_path: Path, selection: Selection, count: int) -> None:
    """A sample that is not smaller than the file is the file; the limit cuts the sample."""
    assert len(read(write_questions(tmp_path, make_questions(20)), selection)) == count


def test_identical_questions_are_counted_in_the_files_order(tmp_path: Path) -> None:
    """Each of them is a question of its own, whatever the sample."""
    path = write_questions(tmp_path, [{"question": q, "answer": "x"} for q in ("a", "b", "a", "a")])
    with closing(open_questions(path)) as questions:
        assert [questions.occurrence(position) for position in range(4)] == [0, 0, 1, 2]


def test_what_cannot_be_asked_is_no_copy(tmp_path: Path) -> None:
    """The same words without an answer change no other question's id."""
    path = write_questions(tmp_path, [{"question": "a"}, {"question": "a", "answer": "x"}])
    with closing(open_questions(path)) as questions:
        assert questions.occurrence(1) == 0


def test_the_context_is_read_only_when_it_is_used(tmp_path: Path) -> None:
    """The field `text` is part of the question with the context setting alone."""
    path = write_questions(tmp_path, [{"question": "q", "answer": "a", "text": "the context"}])
    with_context, without = read(path, uses_context=True)[0], read(path)[0]
    assert with_context
    assert without
    assert (with_context.context, without.context) == ("the context", "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "holds no questions"),
        ('{"questions": 1}', "a list of objects was expected"),
        ("[{", "line 1"),
        ("", "a list was expected"),
    ],
)
def test_an_unusable_file_is_one_clear_mistake(tmp_path: Path, content: str, message: str) -> None:
    """The message names the file and what is wrong with it."""
    path = tmp_path / "exam.json"
    path.write_text(content)
    with pytest.raises(UserMistake, match=f"exam.json.*{message}"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(UserMistake, match="No such file"):
        read(tmp_path / "none.json")


def test_a_byte_order_mark_is_no_question(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    path = tmp_path / "exam.json"
    path.write_text(json.dumps(make_questions(1)), encoding="utf-8-sig")
    assert len(read(path)) == 1
