"""Grading by reading the answer: the choice that it makes, or the short answer that it gives."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Ask
from tasks.evaluation.errors import Refused
from tasks.evaluation.extraction.choices import ChoiceReading, read_choice
from tasks.evaluation.extraction.short_answers import grade_short
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.clarifications import clarification_messages, clarification_prompts, read_clarification
from tasks.evaluation.scoring.evaluations import Evaluation
from tasks.evaluation.scoring.records import Grade

# Part of the identity of the scores that no model has judged: raise it when the same words could be read differently.
READING_VERSION = 5


def explain_unknown_choice(question: Question) -> str:
    """Return the message about a question whose reference names none of its choices."""
    return f"The answer {question.reference[:60]!r} names none of the question's choices"


@dataclass(frozen=True)
class ExtractionGrader:
    """Grades multiple choice by the choice that is read from the answer, and short answers by their words.

    Attributes:
        clarifies: ask the model which choice it meant if its answer does not settle that; otherwise such an answer chooses
            nothing.
    """

    clarifies: bool = True

    @property
    def identity(self) -> tuple[object, ...]:
        """Return the texts that ask a model for its choice, None if it is not asked, and the version of the reading."""
        return (None, clarification_prompts() if self.clarifies else None, READING_VERSION)

    def find_obstacle(self, question: Question) -> str | None:
        """Return a message if the reference names no choice, so that there is nothing to compare an answer with."""
        return None if question.format == "qa" or question.right else explain_unknown_choice(question)

    async def grade(self, question: Question, answer: Answer, ask: Ask) -> Grade:
        """Grade the answer as far as it goes; the evaluation marks an answer that was cut off.

        Raises:
            Refused: the endpoint refuses to be asked which choice was meant.
            EvaluationError: what else `ask` raises.
        """
        if question.format == "qa":
            return Grade(evaluate_short_answer(question, answer).to_json(), {}, 0.0)
        reading = read_choice(answer.text, question.choices, several=question.allows_several)
        if reading.is_certain or not self.clarifies or answer.is_truncated or not answer.text.strip():
            return Grade(evaluate_choice(question, answer, reading).to_json(), {}, 0.0)
        return await _clarify(question, answer, ask)


def evaluate_choice(question: Question, answer: Answer, reading: ChoiceReading) -> Evaluation:
    """Return the evaluation of a multiple-choice answer by what was read from it: 1 if it chooses exactly what is right."""
    labels = reading.labels if reading.is_certain else ()
    doubt = "the answer chooses nothing" if reading.is_certain else "the answer does not settle which choice it makes"
    reasoning = f"the answer chooses {', '.join(labels)}" if labels else doubt
    return _evaluate_labels(question, labels, reasoning, is_truncated=answer.is_truncated)


def evaluate_short_answer(question: Question, answer: Answer) -> Evaluation:
    """Return the evaluation of a short answer: 1 if it is one of those accepted."""
    grade = grade_short(answer.text, (question.reference, *question.aliases))
    verdict = f"right ({grade.match})" if grade.match else "none of those accepted"
    return Evaluation(
        score=int(grade.match is not None),
        reasoning=f"the answer {grade.answer[:200]!r} is {verdict}",
        format="qa",
        is_truncated=answer.is_truncated,
        short_match=(grade.exact_match, grade.f1),
    )


async def _clarify(question: Question, answer: Answer, ask: Ask) -> Grade:
    """Ask the model which choice it meant, and grade that.

    Raises:
        Refused: the endpoint refuses that; the answer would have made a choice, so that a score of 0 would be the endpoint's.
    """
    try:
        reply = await ask(clarification_messages(question, answer.text))
    except Refused as refused:
        raise Refused(f"asked which choice was meant, and {refused}", refused.usage) from None
    labels = read_clarification(reply, question)
    reasoning = f"asked which choice it meant, the model named {', '.join(labels) or 'none'}"
    evaluation = _evaluate_labels(question, labels, reasoning, is_clarified=True, clarification=reply.text)
    return Grade(evaluation.to_json(), {}, reply.seconds, reply.usage)


def _evaluate_labels(
    question: Question,
    labels: Sequence[str],
    reasoning: str,
    *,
    is_truncated: bool = False,
    is_clarified: bool = False,
    clarification: str | None = None,
) -> Evaluation:
    return Evaluation(
        score=int(tuple(labels) in question.right),
        reasoning=reasoning,
        format="mc",
        reference_choice=", ".join(question.right[0]) if question.right else None,
        model_choice=", ".join(labels) or None,
        is_truncated=is_truncated,
        is_clarified=is_clarified,
        clarification=clarification,
    )
