"""Replies as models write them, labelled by someone who had not seen the reader: nearly all are read as labelled.

A line of replies.jsonl is {"style", "question", "reply", "choice"}; the choice is null where the reply makes none.
"""

import json
from pathlib import Path

import pytest

from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.questions.choices_in_text import part_question

LINES = (Path(__file__).parent / "replies.jsonl").read_text(encoding="utf-8").splitlines()
REPLIES = [json.loads(line) for line in LINES]
READ = [(record["choice"], read_choice(record["reply"], part_question(record["question"]).choices)) for record in REPLIES]
CHOOSING = [(label, reading) for label, reading in READ if label is not None]


def test_no_reply_is_read_otherwise_than_labelled_without_asking() -> None:
    """Over all styles and languages: where the words do not settle the choice, the reader says so."""
    certain = [(label, reading) for label, reading in READ if reading.is_certain]
    assert [(label, reading) for label, reading in certain if reading.labels != ((label,) if label else ())] == []


def test_at_most_2_percent_of_the_replies_that_choose_have_to_be_asked() -> None:
    """A question back costs a call."""
    assert sum(not reading.is_certain for _, reading in CHOOSING) <= 0.02 * len(CHOOSING)


def test_no_choice_is_read_where_the_reading_is_uncertain() -> None:
    """Nothing is chosen until the model says it."""
    assert [reading for _, reading in READ if reading.labels and not reading.is_certain] == []


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "A ",
            "A, ",
            "A, or ",
            "A)\n",
            "A\nB\n",
            "A) x\nB) y\n",
            "A is ",
            "not A, ",
            "A is wrong ",
            "(",
            "{",
            "*",
            "<a",
            "\n",
            " ",
        ),
        *(
            "the answer is ",
            "so ",
            "if would ",
            "wait ",
            "<think>",
            "\\boxed{",
            "\\boxed{{}",
            "\\frac{",
            '"answer": "',
            "<answer>",
        ),
        *("first ", "one two three four five ", "答案", "选", "。", "1. ", "12 ", "Question:\n", "none of the "),
    ],
)
def test_a_reply_of_100_000_characters_is_read_in_linear_time(unit: str) -> None:
    """A model that repeats itself to its limit holds nobody up: a pattern that backtracks would take minutes."""
    choices = {"A": "x", "B": "y", "C": "one two three four five six", "D": "None of the above"}
    reply = unit * (100_000 // len(unit))
    assert read_choice(f"{reply}\n\nThe answer is B.", choices).labels in {("B",), ()}
