"""Grading by a model: a judge reads the question, the reference and the answer, and gives a verdict.

After a reply without a usable verdict the judge is asked again in stricter words; after the last of these it counts as having
refused. A missing score is never counted as zero.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Ask
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.errors import Refused
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Format, Question
from tasks.evaluation.scoring.evaluations import Evaluation
from tasks.evaluation.scoring.records import Grade
from tasks.evaluation.scoring.verdicts import Verdict, read_verdict
from tasks.evaluation.spending.usage import Usage, add_usage, read_usage

# Part of the identity of scores that a model has judged: raise it when the same words could be read differently than before.
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
# Added to the system message after a reply without a verdict. The judge does not see that reply: it would imitate it.
STRICTER = (
    "Your whole reply is one JSON object with a score: no other words, no Markdown, nothing before or after it.",
    'Reply with only this, your score in place of 0: {"score": 0, "reasoning": ""}',
)
WORDINGS = 1 + len(STRICTER)
NOTHING_WRITTEN = "the answer is empty: it was cut before its first word"


@dataclass(frozen=True)
class ModelGrader:
    """Lets a model judge the answers.

    Attributes:
        request: everything that is sent to it besides the messages.
    """

    request: Mapping[str, object]

    @property
    def identity(self) -> tuple[object, ...]:
        """Return the request, all texts that the judge is asked with, and the version of how verdicts are read."""
        return (self.request, grader_prompts(), VERDICT_VERSION)

    def find_obstacle(self, question: Question) -> str | None:  # noqa: ARG002 - a model can judge any
        """Return None: a model can judge an answer to any question."""
        return None

    async def grade(self, question: Question, answer: Answer, ask: Ask) -> Grade:
        """Return the judge's verdict; an answer that was cut off before its first word is wrong without being judged.

        Raises:
            Refused: the judge gave no verdict in any wording.
        """
        if not answer.text:
            return Grade(_make_evaluation(Verdict(0, NOTHING_WRITTEN), question, answer).to_json(), {}, 0.0)
        started = time.monotonic()
        verdict, usage = await _ask_for_verdict(question, answer, ask)
        return Grade(_make_evaluation(verdict, question, answer).to_json(), usage, time.monotonic() - started)


def grader_prompts() -> JsonObject:
    """Return all texts that a judge is asked with."""
    return {"system": {"mc": GRADER_SYSTEM["mc"], "qa": GRADER_SYSTEM["qa"]}, "user": GRADER_USER, "stricter": list(STRICTER)}


def grader_messages(question: Question, answer: str) -> list[Message]:
    """Return the messages that ask for a verdict on the answer."""
    reference = "\nOr: ".join((question.reference, *question.aliases))
    content = GRADER_USER.format(question=question.text, reference=reference, answer=answer)
    return [{"role": "system", "content": GRADER_SYSTEM[question.format]}, {"role": "user", "content": content}]


def stricter_messages(messages: list[Message], wording: int) -> list[Message]:
    """Return the messages that ask again in stricter words after a reply without a verdict; `wording` counts from 0."""
    system, user = messages
    return [{"role": "system", "content": f"{system['content']}\n\n{STRICTER[wording]}"}, user]


async def _ask_for_verdict(question: Question, answer: Answer, ask: Ask) -> tuple[Verdict, Usage]:
    """Return the verdict and what all replies have cost; ask again in stricter words until a reply holds a verdict.

    Raises:
        Refused: the judge gave no verdict in any wording.
    """
    usage: Usage = {}
    first_messages = messages = grader_messages(question, answer.text)
    for wording in range(WORDINGS):
        try:
            reply = await ask(messages)
        except Refused as refused:
            refused.usage = add_usage(usage, read_usage(refused.usage))
            raise
        usage = add_usage(usage, reply.usage)
        verdict = read_verdict(reply.text, question)
        if verdict:
            return verdict, usage
        if wording < WORDINGS - 1:
            messages = stricter_messages(first_messages, wording)
    raise Refused(f"the grader gave no verdict in {WORDINGS} wordings; its last words: {reply.text[:100]!r}", usage)


def _make_evaluation(verdict: Verdict, question: Question, answer: Answer) -> Evaluation:
    return Evaluation(
        score=verdict.score,
        reasoning=verdict.reasoning,
        format=question.format,
        reference_choice=verdict.reference_choice,
        model_choice=verdict.model_choice,
        is_truncated=answer.is_truncated,
    )
