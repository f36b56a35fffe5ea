"""The ways in which answers are graded, and the one place where a run's is chosen.

A model judges them, or they are graded by the choice or the short answer that is read from them, or by the probabilities of
their first token.
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
        """What of the grader decides about a score, as JSON: a score is reused where it is equal."""

    def find_obstacle(self, question: Question) -> str | None:
        """Return why answers to the question cannot be graded in this way; None when they can."""

    async def grade(self, question: Question, answer: Answer, ask: Ask) -> Grade:
        """Grade the answer.

        Args:
            question: one without an obstacle.
            answer: the model's.
            ask: asks the judge, or without one the model that has answered, in the same conversation.

        Raises:
            Refused: there is no grade, and there will be none.
            EvaluationError: what `ask` raises.
        """


def choose_grader(config: Config, judge: Endpoint | None) -> Grader:
    """Return the grader that the settings want; `judge` is the model that they name for it."""
    if judge:
        return ModelGrader(judge.request)
    return FirstTokenGrader() if config.grading == "logprobs" else ExtractionGrader(config.processing.clarify_answers)
