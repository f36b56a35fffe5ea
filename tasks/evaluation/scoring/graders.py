"""How an answer is graded: by what is read from it, its choice or its short answer, or by a grader model's verdict.

A verdict is a JSON object in the grader's reply. A reply without a usable one is asked for again in stricter words; after the
last of them the grader has refused. A missing score is never a zero.
"""

from dataclasses import replace
from typing import Literal

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.extraction.short_answers import grade_short
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Format, Question
from tasks.evaluation.scoring.records import Grade

# By a grader model, by what is read from the answer, or by the probabilities of its first token.
Grading = Literal["grader", "reading", "logprobs"]
# Part of the identity of the scores that we read from answers ourselves, and of those that we read from a grader's verdicts:
# raise it when the same words could be read differently.
READING_VERSION = 2
VERDICT_VERSION = 1

GRADER_SYSTEM: dict[Format, str] = {
    "mc": """\
You are an expert evaluator of multiple-choice exams. You are given a question with its choices, the reference, and what a \
model wrote. Extract the letter or number that the reference chooses and the one that the model finally chooses, compare them, \
and explain the comparison in a sentence. Reply with nothing but this JSON object:
{"reference_choice": "letter or number", "model_choice": "letter or number, null when it chooses none", \
"score": 1 when both are the same, else 0, "reasoning": "one sentence", "format": "mc"}""",
    "qa": """\
You are an expert evaluator of short-answer exams. You are given a question, the reference, and what a model wrote. Judge by \
meaning, not by wording. Reply with nothing but this JSON object:
{"score": 1 when the model is right, 0.5 when it is partly right, 0 when it is wrong, "reasoning": "one sentence", \
"format": "qa"}""",
}
GRADER_USER = """\
Question: {question}

Reference Answer: {reference}

Model Answer: {answer}"""
# Added to the system's words where a reply held no verdict. That reply is not shown to the grader: it would be imitated.
STRICTER = (
    "Your whole reply is one JSON object with a score: no other words, no Markdown, nothing before or after it.",
    'Reply with only this, your score in place of 0: {"score": 0, "reasoning": ""}',
)
WORDINGS = 1 + len(STRICTER)


def grader_prompts() -> JsonObject:
    """Every word that a grader is asked with, for the identity of its scores."""
    return {"system": {"mc": GRADER_SYSTEM["mc"], "qa": GRADER_SYSTEM["qa"]}, "user": GRADER_USER, "stricter": list(STRICTER)}


def grader_messages(question: Question, answer: str) -> list[Message]:
    """The messages that ask for a verdict on the answer."""
    reference = "\nOr: ".join((question.reference, *question.aliases))
    content = GRADER_USER.format(question=question.text, reference=reference, answer=answer)
    return [{"role": "system", "content": GRADER_SYSTEM[question.format]}, {"role": "user", "content": content}]


def stricter_messages(messages: list[Message], wording: int) -> list[Message]:
    """The messages that ask again in other words after a reply without a verdict; `wording` counts from 0."""
    system, user = messages
    return [{"role": "system", "content": f"{system['content']}\n\n{STRICTER[wording]}"}, user]


def find_obstacle(question: Question, grading: Grading) -> str | None:
    """Why the question cannot be graded in this way; None when it can."""
    if grading == "grader" or (grading == "reading" and question.format == "qa"):
        return None
    if question.format == "qa":
        return "The question offers no choices, and grading: logprobs reads the first token of a choice"
    if not question.right:
        return f"The answer {question.reference[:60]!r} names none of the question's choices"
    if grading == "logprobs" and any(len(right) > 1 for right in question.right):
        return f"The answer {question.reference[:60]!r} names several choices, and a first token only one"
    if grading == "logprobs" and any(
        label != other and label.startswith(other) for label in question.choices for other in question.choices
    ):
        return "The question's labels begin alike, and so might their first tokens"
    return None


def grade_by_reading(question: Question, answer: str) -> JsonObject:
    """The evaluation of an answer by the choice that it makes, or by the short answer that it gives."""
    return _grade_choice(question, answer) if question.format == "mc" else _grade_short_answer(question, answer)


def mark_grade(grade: Grade, answer: Answer) -> Grade:
    """The grade with marks in its evaluation: multiple choice that chose nothing, and an answer that was cut."""
    marks: JsonObject = {"truncated": answer.finish_reason == "length" and "probabilities" not in grade.evaluation}
    if grade.evaluation.get("format") == "mc":
        marks["no_choice"] = grade.evaluation.get("model_choice") in (None, "", "null", "none")
    return replace(grade, evaluation={**grade.evaluation, **marks})


def _grade_choice(question: Question, answer: str) -> JsonObject:
    reading = read_choice(answer, question.choices, several=any(len(labels) > 1 for labels in question.right))
    chosen = ", ".join(reading.labels) or None
    references = [", ".join(labels) for labels in question.right]
    return {
        "reference_choice": references[0] if references else None,
        "model_choice": chosen,
        "score": int(chosen in references),
        "reasoning": f"the answer chooses {chosen}" if chosen else "the answer chooses nothing",
        "format": "mc",
    }


def _grade_short_answer(question: Question, answer: str) -> JsonObject:
    grade = grade_short(answer, (question.reference, *question.aliases))
    verdict = f"right ({grade.match})" if grade.match else "none of those accepted"
    return {
        "reference_choice": None,
        "model_choice": None,
        "score": int(grade.match is not None),
        "reasoning": f"the answer {grade.answer[:200]!r} is {verdict}",
        "format": "qa",
        "exact_match": int(grade.exact_match),
        "f1": grade.f1,
    }
