"""By the first token, the choice whose label is the likeliest to begin the answer is chosen."""

import math

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.first_token_grader import FirstTokenGrader, evaluate_first_token
from tests.support.parsed import parse_question

QUESTION = parse_question("Which?\nA) x\nB) y\nC) z", "B")


def test_the_tokens_that_spell_a_label_count_together() -> None:
    """With a space, a bracket or a star before it; words that only begin with it do not."""
    likeliest = {"A": 0.3, " B": 0.2, "(B": 0.15, "Because": 0.1, "b": 0.1, "**": 0.05}
    evaluation = evaluate_first_token(QUESTION, {token: math.log(share) for token, share in likeliest.items()})
    assert evaluation.probabilities == {"A": 0.3, "B": 0.35, "C": 0.0}
    assert (evaluation.model_choice, evaluation.score) == ("B", 1)


def test_no_label_among_the_likeliest_chooses_nothing() -> None:
    """It is wrong, and not guessed."""
    evaluation = evaluate_first_token(QUESTION, {"The": -0.1, "I": -2.5})
    assert (evaluation.model_choice, evaluation.score) == (None, 0)


def test_an_endpoint_without_logprobs_is_told() -> None:
    """It is a mistake in the settings, and no score."""
    with pytest.raises(UserMistake, match="gives no logprobs"):
        evaluate_first_token(QUESTION, None)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (QUESTION, None),
        (parse_question("Capital of France?", "Paris"), "offers no choices"),
        (parse_question(QUESTION.text, "A, B"), "names several choices"),
        (parse_question(QUESTION.text, "Q"), "names none"),
        (parse_question("Which?\n" + "\n".join(f"{n}) t{n}" for n in range(1, 12)), "3"), "labels begin alike"),
    ],
)
def test_what_one_token_cannot_tell_is_not_asked(question: Question, words: str | None) -> None:
    """It is listed with its reason."""
    obstacle = FirstTokenGrader().find_obstacle(question)
    assert (obstacle is None) == (words is None)
    assert words is None or words in str(obstacle)
