"""A question's temporary copy holds each word once, and gives back exactly what was put in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.json_lines import from_line, to_line
from tasks.evaluation.questions.parts import place_parts
from tasks.evaluation.questions.questions import Question

TEXTS = st.text("ab\n .ä\ud800", max_size=6)


@given(TEXTS, TEXTS, st.dictionaries(st.sampled_from("ABC"), TEXTS))
def test_a_question_comes_back_as_it_was(text: str, stem: str, choices: dict[str, str]) -> None:
    """Wherever its parts stand in its text, or if they do not."""
    question = Question(text, "A", "", "mc", ("x",), stem, choices, (("A",), ("B", "C")))
    assert Question.from_json(from_line(to_line(question.to_json()))) == question


@pytest.mark.parametrize(
    ("stem", "choices", "placed"),
    [
        ("Why?", {"A": "one", "B": "two"}, {"stem": 4, "choices": {"A": [8, 11], "B": [15, 18]}}),
        ("Why ?", {"A": "two", "B": "one"}, {"stem": "Why ?", "choices": {"A": [15, 18], "B": "one"}}),
    ],
    ids=["in order", "not in it"],
)
def test_parts_that_stand_in_the_text_are_not_kept_again(stem: str, choices: dict[str, str], placed: object) -> None:
    """Any others are."""
    assert place_parts("Why?\nA) one\nB) two", stem, choices) == placed
