"""A verdict is read from a grader's reply, or there is none: a missing score is never a zero."""

import pytest

from tasks.evaluation.grading import can_grade_by_choice, grade_by_choice, grader_messages, read_verdict
from tasks.evaluation.questions import Question

QUESTION = Question("Which?\nA) x\nB) y", "B) y", "", "mc")


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ('{"score": 1}', 1),
        ('{"score": "0.5"}', 0.5),
        ('Here it is:\n```json\n{"score": 0, "reasoning": "no"}\n```', 0),
        ('{"note": {"score": 3}} {"score": 1}', 1),
        ('{"reasoning": "good"}', None),
        ('{"score": 2}', None),
        ('{"score": true}', None),
        ('{"score": null}', None),
        ('{"score": NaN}', None),
        ("It is right", None),
        ("{", None),
    ],
)
def test_a_verdict_has_a_score_from_0_to_1_or_there_is_none(reply: str, score: float | None) -> None:
    """The first JSON object with a usable score counts."""
    verdict = read_verdict(reply, "mc")
    assert (verdict["score"] if verdict else None) == score


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
    evaluation = grade_by_choice(QUESTION, answer)
    assert (evaluation["score"], evaluation["model_choice"], evaluation["reference_choice"]) == (score, choice, "B")


@pytest.mark.parametrize(("answer", "score"), [("Answer: B and A", 1), ("A, B", 1), ("A", 0), ("B", 0), ("A or B", 0)])
def test_where_several_choices_are_right_all_must_be_chosen(answer: str, score: int) -> None:
    """And no others."""
    assert grade_by_choice(Question(QUESTION.text + "\nC) z", "A, B", "", "mc"), answer)["score"] == score


def test_a_reference_outside_the_choices_needs_a_grader() -> None:
    """It cannot be compared with a choice."""
    assert not can_grade_by_choice(Question(QUESTION.text, "Z", "", "mc"))
