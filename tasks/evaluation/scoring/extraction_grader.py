"""Grading by what is read from the answer: the choice that it makes, or the short answer that it gives."""

from dataclasses import dataclass

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Ask
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.extraction.short_answers import grade_short
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.scoring.evaluations import Evaluation
from tasks.evaluation.scoring.records import Grade

# Part of the identity of the scores that no model has judged: raise it when the same words could be read differently.
READING_VERSION = 2


def explain_unknown_choice(question: Question) -> str:
    """Return what to say of a question whose reference names none of its choices."""
    return f"The answer {question.reference[:60]!r} names none of the question's choices"


@dataclass(frozen=True)
class ExtractionGrader:
    """Grades multiple choice by the choice that is read from the answer, and short answers by their words."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Return the version of the reading."""
        return (None, None, READING_VERSION)

    def find_obstacle(self, question: Question) -> str | None:
        """Return a reason where the reference names no choice, with which one that is read could be compared."""
        return None if question.format == "qa" or question.right else explain_unknown_choice(question)

    async def grade(self, question: Question, answer: Answer, ask: Ask) -> Grade:  # noqa: ARG002 - asks nobody
        """Grade the answer as far as it goes: what was cut is missing from it, and is marked."""
        evaluate = evaluate_choice if question.format == "mc" else evaluate_short_answer
        return Grade(evaluate(question, answer).to_json(), {}, 0.0)


def evaluate_choice(question: Question, answer: Answer) -> Evaluation:
    """Return what an answer to multiple choice is worth: 1 where it chooses all that is right and nothing else."""
    reading = read_choice(answer.text, question.choices, several=any(len(labels) > 1 for labels in question.right))
    chosen = ", ".join(reading.labels) or None
    return Evaluation(
        score=int(reading.labels in question.right),
        reasoning=f"the answer chooses {chosen}" if chosen else "the answer chooses nothing",
        format="mc",
        reference_choice=", ".join(question.right[0]) if question.right else None,
        model_choice=chosen,
        is_truncated=answer.is_truncated,
    )


def evaluate_short_answer(question: Question, answer: Answer) -> Evaluation:
    """Return what a short answer is worth: 1 where it is one of those accepted."""
    grade = grade_short(answer.text, (question.reference, *question.aliases))
    verdict = f"right ({grade.match})" if grade.match else "none of those accepted"
    return Evaluation(
        score=int(grade.match is not None),
        reasoning=f"the answer {grade.answer[:200]!r} is {verdict}",
        format="qa",
        is_truncated=answer.is_truncated,
        short_match=(grade.exact_match, grade.f1),
    )
