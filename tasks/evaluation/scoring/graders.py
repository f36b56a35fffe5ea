"""The ways to grade answers, and the one place where a run's way is chosen.

Either a model judges the answers, or they are graded by the choice or short answer that is read from them, or by the
probabilities of their first token.
"""

from typing import Protocol

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Ask
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.extraction_grader import ExtractionGrader
from tasks.evaluation.scoring.first_token_grader import FirstTokenGrader
from tasks.evaluation.scoring.model_grader import ModelGrader
from tasks.evaluation.scoring.records import Grade


class Grader(Protocol):
    """A way to grade answers."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Return everything about the grader that affects a score, as JSON: a score is reused if it is equal."""

    def find_obstacle(self, question: Question) -> str | None:
        """Return the reason why answers to the question cannot be graded in this way; None if they can."""

    async def grade(self, question: Question, answer: Answer, ask: Ask) -> Grade:
        """Grade the answer.

        Args:
            question: one without an obstacle.
            answer: the model's answer.
            ask: asks the judge, or without a judge the model that gave the answer, in the same conversation.

        Raises:
            Refused: the answer has no grade and will not get one.
            EvaluationError: whatever `ask` raises.
        """


def choose_grader(config: Config, judge: Endpoint | None) -> Grader:
    """Return the grader that the settings ask for; `judge` is the model that they name for grading."""
    if judge:
        return ModelGrader(judge.request)
    return FirstTokenGrader() if config.grading == "logprobs" else ExtractionGrader(config.processing.clarify_answers)
