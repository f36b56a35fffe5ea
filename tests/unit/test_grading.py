"""An answer is graded by what it chooses or says, or by a grader that is asked in fixed words."""

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.scoring.graders import find_obstacle, grade_by_reading, grader_messages, mark_grade
from tasks.evaluation.scoring.records import Grade
from tests.support.parsed import parse_question

QUESTION = parse_question("Which?\nA) x\nB) y", "B) y")


def test_the_grader_is_asked_in_the_documented_lines() -> None:
    """Graders are tuned to `Question:`, `Reference Answer:` and `Model Answer:`."""
    prompt = grader_messages(QUESTION, "I say B")[1]["content"]
    assert [line.split(":")[0] for line in prompt.splitlines() if ":" in line] == [
        "Question",
        "Reference Answer",
        "Model Answer",
    ]
    assert prompt.endswith("Model Answer: I say B")


@pytest.mark.parametrize(("answer", "score", "choice"), [("B", 1, "B"), ("A", 0, "A"), ("no idea", 0, None)])
def test_without_a_grader_the_choice_decides(answer: str, score: int, choice: str | None) -> None:
    """And the evaluation says what was read."""
    evaluation = grade_by_reading(QUESTION, answer)
    assert (evaluation["score"], evaluation["model_choice"], evaluation["reference_choice"]) == (score, choice, "B")


@pytest.mark.parametrize(("answer", "score"), [("Answer: B and A", 1), ("A, B", 1), ("A", 0), ("B", 0), ("A or B", 0)])
def test_where_several_choices_are_right_all_must_be_chosen(answer: str, score: int) -> None:
    """And no others."""
    assert grade_by_reading(parse_question(QUESTION.text + "\nC) z", "A, B"), answer)["score"] == score


def test_a_reference_outside_the_choices_needs_a_grader() -> None:
    """It cannot be compared with a choice."""
    assert find_obstacle(parse_question(QUESTION.text, "Z"), "reading")


def test_each_accepted_answer_is_right() -> None:
    """The reference is one of them."""
    question = parse_question("Which?\nA) x\nB) y\nC) z", "A", "C")
    assert [grade_by_reading(question, answer)["score"] for answer in "ABC"] == [1, 0, 1]


def test_a_grader_is_told_every_accepted_answer() -> None:
    """Else it would call them wrong."""
    question = parse_question("Which city?", "New York", "NYC")
    assert "Reference Answer: New York\nOr: NYC\n" in grader_messages(question, "NYC")[1]["content"]


def test_a_short_answer_needs_no_grader() -> None:
    """It is right or wrong; exact match and token F1 stand beside it."""
    evaluation = grade_by_reading(parse_question("How long is it?", "13 km"), "The answer is about 13.0 kilometres.")
    assert (evaluation["score"], evaluation["exact_match"], evaluation["f1"]) == (1, 0, 0.0)
    assert find_obstacle(parse_question("How long is it?", "13 km"), "reading") is None


@pytest.mark.parametrize(
    ("text", "finish_reason", "marks"),
    [
        ("B", "stop", {"no_choice": False, "truncated": False}),
        ("I cannot say.", "stop", {"no_choice": True, "truncated": False}),
        ("First we", "length", {"no_choice": True, "truncated": True}),
    ],
)
def test_what_stands_out_is_marked(text: str, finish_reason: str, marks: dict[str, bool]) -> None:
    """An answer that chooses nothing is wrong, one that was cut is scored as far as it goes; both can be counted."""
    answer = Answer(text, None, {}, finish_reason, None, 0.0)
    evaluation = mark_grade(Grade(grade_by_reading(QUESTION, text), {}, 0.0), answer).evaluation
    assert {name: evaluation[name] for name in marks} == marks
