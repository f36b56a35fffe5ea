"""Entries are found within sections, passages, rows and splits, and take over what stands around them."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.questions.questions import Question, read_questions

ENTRY = {"question": "Evergreen?", "choices": ["oak", "fir"], "answer": "fir"}


def read(path: Path, **fields: object) -> list[Question | None]:
    """Return the questions of the file."""
    settings = Fields.model_validate(fields)
    opened = read_questions(str(path), question_format="auto", uses_context=True, fields=settings)
    with closing(opened) as questions:
        return list(questions)


@pytest.mark.parametrize(
    "document",
    [
        [{"topic": "trees", "questions": [ENTRY]}],
        {"sections": [{"name": "trees", "items": [ENTRY]}]},
        {"exam": {"title": "trees", "questions": [ENTRY]}},
        {"data": {"test": [ENTRY]}},
        {"rows": [{"row_idx": 0, "row": ENTRY, "truncated_cells": []}]},
        [{"id": 1, "question": {"stem": "Evergreen?", "choices": ["oak", "fir"]}, "answer": "fir"}],
        ENTRY,
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_an_entry_may_lie_deeper(tmp_path: Path, document: object, indent: int | None) -> None:
    """Whether the document stands on one line or on many."""
    (tmp_path / "exam.json").write_text(json.dumps(document, indent=indent))
    [question] = read(tmp_path / "exam.json")
    assert question
    assert (question.text, question.reference) == ("Evergreen?\n\nA) oak\nB) fir", "B")


def test_questions_of_a_passage_are_asked_with_it(tmp_path: Path) -> None:
    """As SQuAD keeps them: an article's paragraphs, and their questions with the answers' places."""
    asked = [
        {"question": "Who sings?", "answers": [{"text": "A lark", "answer_start": 4}, {"text": "larks", "answer_start": 0}]}
    ]
    document = {"data": [{"title": "Birds", "paragraphs": [{"context": "At dawn a lark sings.", "qas": asked}]}]}
    (tmp_path / "squad.json").write_text(json.dumps(document))
    [question] = read(tmp_path / "squad.json")
    assert question
    assert (question.context, question.reference, question.aliases) == ("At dawn a lark sings.", "A lark", ("larks",))


def test_rows_that_are_lists_take_the_names_of_the_settings(tmp_path: Path) -> None:
    """As a table in JSON has them."""
    (tmp_path / "rows.json").write_text('[["Evergreen?", "oak", "fir", "B"]]')
    [question] = read(tmp_path / "rows.json", columns=["question", "A", "B", "answer"])
    assert question
    assert question.text == "Evergreen?\n\nA) oak\nB) fir"


def test_lines_that_are_comments_hold_no_entry(tmp_path: Path) -> None:
    """No JSON begins as they do."""
    (tmp_path / "exam.jsonl").write_text(f"# made on Monday\n// by hand\n{json.dumps(ENTRY)}\n")
    assert len(read(tmp_path / "exam.jsonl")) == 1
