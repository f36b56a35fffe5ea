"""An answer is graded by what it chooses or says, or by a judge that is asked in fixed words."""

import asyncio

import pytest

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.errors import Refused
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.evaluations import Evaluation
from tasks.evaluation.scoring.extraction_grader import ExtractionGrader, evaluate_choice, evaluate_short_answer
from tasks.evaluation.scoring.model_grader import ModelGrader, grader_messages
from tests.support.answers import answer_with
from tests.support.parsed import parse_question

QUESTION = parse_question("Which?\nA) x\nB) y", "B) y")
JUDGE = ModelGrader({"model": "judge"})


def read_and_evaluate(question: Question, answer: Answer) -> Evaluation:
    """Evaluate the answer by what is read from it."""
    reading = read_choice(answer.text, question.choices, several=question.allows_several)
    return evaluate_choice(question, answer, reading)


class Judge:
    """A model that judges with these replies, and remembers what it was asked."""

    def __init__(self, *replies: str) -> None:
        self.asked: list[list[Message]] = []
        self._replies = iter(replies)

    async def ask(self, messages: list[Message], **_: object) -> Answer:
        self.asked.append(messages)
        return Answer(next(self._replies), None, {"total_tokens": 5}, "stop", None, 0.0)


def judge_answer(judge: Judge, answer: Answer) -> JsonObject:
    return asyncio.run(JUDGE.grade(QUESTION, answer, judge.ask)).evaluation


def test_the_judge_is_asked_in_the_documented_lines() -> None:
    """Judges are tuned to `Question:`, `Reference Answer:` and `Model Answer:`."""
    prompt = grader_messages(QUESTION, "I say B")[1]["content"]
    assert [line.split(":")[0] for line in prompt.splitlines() if ":" in line] == [
        "Question",
        "Reference Answer",
        "Model Answer",
    ]
    assert prompt.endswith("Model Answer: I say B")


def test_a_verdict_that_contradicts_itself_is_asked_for_again() -> None:
    """In stricter words, and without the reply, which would be imitated."""
    judge = Judge(
        '{"reference_choice": "B", "model_choice": "A", "score": 1}',
        '{"reference_choice": "B", "model_choice": "A", "score": 0}',
    )
    assert judge_answer(judge, answer_with("A"))["score"] == 0
    assert [len(messages) for messages in judge.asked] == [2, 2]
    assert judge.asked[1][0]["content"].startswith(judge.asked[0][0]["content"])
    assert judge.asked[1][1] == judge.asked[0][1]


def test_a_judge_without_a_verdict_has_refused() -> None:
    """After three wordings; what they have cost is counted."""
    judge = Judge("B is right.", "Score: 1", '{"score": 2}')
    with pytest.raises(Refused, match=r"no verdict in 3 wordings; its last words: '\{\"score\": 2\}'") as refusal:
        judge_answer(judge, answer_with("B"))
    assert refusal.value.usage == {"total_tokens": 15}


def test_a_verdict_is_stored_with_its_marks() -> None:
    """The five documented fields come first."""
    judge = Judge('{"score": 0, "reasoning": "it breaks off", "reference_choice": "B", "model_choice": "none"}')
    assert list(judge_answer(judge, answer_with("First we", "length")).items()) == [
        ("reference_choice", "B"),
        ("model_choice", "none"),
        ("score", 0),
        ("reasoning", "it breaks off"),
        ("format", "mc"),
        ("truncated", True),
        ("no_choice", True),
    ]


def test_what_was_cut_before_its_first_word_is_not_judged() -> None:
    """It is wrong without a call."""
    judge = Judge()
    assert judge_answer(judge, answer_with("", "length"))["score"] == 0
    assert not judge.asked


@pytest.mark.parametrize(("text", "score", "choice"), [("B", 1, "B"), ("A", 0, "A"), ("no idea", 0, None)])
def test_without_a_judge_the_choice_decides(text: str, score: int, choice: str | None) -> None:
    """And the evaluation says what was read."""
    evaluation = read_and_evaluate(QUESTION, answer_with(text))
    assert (evaluation.score, evaluation.model_choice, evaluation.reference_choice) == (score, choice, "B")


@pytest.mark.parametrize(("text", "score"), [("Answer: B and A", 1), ("A, B", 1), ("A", 0), ("B", 0), ("A or B", 0)])
def test_where_several_choices_are_right_all_must_be_chosen(text: str, score: int) -> None:
    """And no others."""
    question = parse_question(QUESTION.text + "\nC) z", "A, B")
    assert read_and_evaluate(question, answer_with(text)).score == score


def test_a_reference_outside_the_choices_needs_a_judge() -> None:
    """It cannot be compared with a choice."""
    question = parse_question(QUESTION.text, "Z")
    assert ExtractionGrader().find_obstacle(question) == "The answer 'Z' names none of the question's choices"
    assert JUDGE.find_obstacle(question) is None


def test_each_accepted_answer_is_right() -> None:
    """The reference is one of them."""
    question = parse_question("Which?\nA) x\nB) y\nC) z", "A", "C")
    assert [read_and_evaluate(question, answer_with(label)).score for label in "ABC"] == [1, 0, 1]


def test_a_judge_is_given_every_accepted_answer() -> None:
    """Else it would call them wrong."""
    question = parse_question("Which city?", "New York", "NYC")
    assert "Reference Answer: New York\nOr: NYC\n" in grader_messages(question, "NYC")[1]["content"]


def test_a_short_answer_needs_no_judge() -> None:
    """It is right or wrong; exact match and token F1 stand beside it."""
    question = parse_question("How long is it?", "13 km")
    assert ExtractionGrader().find_obstacle(question) is None
    evaluation = evaluate_short_answer(question, answer_with("The answer is about 13.0 kilometres.")).to_json()
    assert list(evaluation) == [
        "reference_choice",
        "model_choice",
        "score",
        "reasoning",
        "format",
        "exact_match",
        "f1",
        "truncated",
    ]
    assert (evaluation["score"], evaluation["exact_match"], evaluation["f1"]) == (1, 0, 0.0)


@pytest.mark.parametrize(
    ("text", "finish_reason", "marks"),
    [
        ("B", "stop", {"no_choice": False, "truncated": False}),
        ("I cannot say.", "stop", {"no_choice": True, "truncated": False}),
        ("First we", "length", {"no_choice": True, "truncated": True}),
    ],
)
def test_what_stands_out_is_marked(text: str, finish_reason: str, marks: dict[str, bool]) -> None:
    """An answer that chooses nothing is wrong, one that was cut is scored as received; both can be counted."""
    evaluation = read_and_evaluate(QUESTION, answer_with(text, finish_reason)).to_json()
    assert {name: evaluation[name] for name in marks} == marks
