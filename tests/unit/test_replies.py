"""Replies as models write them, labelled by someone who had not seen the reader: nearly all are read as labelled.

A line of replies.jsonl is {"style", "question", "reply", "choice"}; the choice is null where the reply makes none.
"""

import json
from pathlib import Path

import pytest

from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.questions.choice_lines import read_choices

LINES = (Path(__file__).parent / "replies.jsonl").read_text(encoding="utf-8").splitlines()
REPLIES = [json.loads(line) for line in LINES]
READ = [
    (record["choice"], ", ".join(read_choice(record["reply"], read_choices(record["question"])).labels) or None)
    for record in REPLIES
]


def test_at_least_99_percent_of_the_replies_are_read_as_labelled() -> None:
    """Over all styles and languages."""
    right = sum(labelled == read for labelled, read in READ)
    assert right >= 0.99 * len(READ)


def test_at_most_1_percent_of_the_replies_that_choose_nothing_are_given_a_choice() -> None:
    """A choice that a model did not make is never to be scored."""
    nothing = [read for labelled, read in READ if labelled is None]
    invented = sum(read is not None for read in nothing)
    assert invented <= 0.01 * len(nothing)


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
