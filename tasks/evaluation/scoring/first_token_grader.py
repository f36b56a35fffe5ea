"""Grading by the first token: the chosen label is the one that is most likely to begin the answer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Ask
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.evaluations import Evaluation
from tasks.evaluation.scoring.extraction_grader import READING_VERSION, explain_unknown_choice
from tasks.evaluation.scoring.records import Grade

# What tokenizers and models put around a label: "▁A" and "ĠA" if a server shows its tokenizer's spaces, "(A", "**A", "A)".
AROUND_LABEL = " \t\r\n▁Ġ*_([{\"'`.,:)]}"


@dataclass(frozen=True)
class FirstTokenGrader:
    """Grades multiple choice by the likeliest first tokens of the answer."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Return the version of the reading; the request already differs from others, since it asks for probabilities."""
        return (None, None, READING_VERSION)

    def find_obstacle(self, question: Question) -> str | None:
        """Return a message if a single token cannot name the right choice."""
        if question.format == "qa":
            return "The question offers no choices, and grading: logprobs reads the first token of a choice"
        if not question.right:
            return explain_unknown_choice(question)
        if question.allows_several:
            return f"The answer {question.reference[:60]!r} names several choices, and a first token only one"
        labels = question.choices
        if any(label != other and label.startswith(other) for label in labels for other in labels):
            return "The question's labels begin alike, and so might their first tokens"
        return None

    async def grade(self, question: Question, answer: Answer, ask: Ask) -> Grade:  # noqa: ARG002 - asks nobody
        """Grade the answer by its first token alone, so that no answer counts as truncated.

        Raises:
            UserMistake: the endpoint gives no probabilities.
        """
        return Grade(evaluate_first_token(question, answer.token_logprobs).to_json(), {}, 0.0)


def evaluate_first_token(question: Question, token_logprobs: Mapping[str, float] | None) -> Evaluation:
    """Return the evaluation of an answer by its likeliest first tokens, given with their natural log probabilities.

    A label's probability is the sum over the tokens that spell it; the remainder up to 1 belongs to other tokens.

    Raises:
        UserMistake: the endpoint gives no probabilities.
    """
    if token_logprobs is None:
        raise UserMistake(
            "the generator's endpoint gives no logprobs, and grading: logprobs needs them: take grading out of the settings, "
            "or ask an endpoint that gives them (with vLLM, not more than its --max-logprobs)"
        )
    probabilities = dict.fromkeys(question.choices, 0.0)
    for token, logprob in token_logprobs.items():
        label = token.strip(AROUND_LABEL)
        if label in probabilities:
            probabilities[label] += math.exp(logprob)
    likeliest = max(probabilities, key=probabilities.__getitem__)
    chosen = likeliest if probabilities[likeliest] else None
    return Evaluation(
        score=int((chosen,) in question.right),
        reasoning=f"the likeliest first token is {chosen}" if chosen else "no choice is among the likeliest first tokens",
        format="mc",
        reference_choice=question.right[0][0],
        model_choice=chosen,
        probabilities={label: round(probability, 6) for label, probability in probabilities.items()},
    )
