"""The records of one question: its answer, its grade, and the documented result.

The answer log keeps an `Answer` and a `Grade`; `build_result` makes them into the record that checkpoints, results and Prefect
hold. All are plain JSON objects, one per line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, JsonValue, to_line
from tasks.evaluation.retrieval.retrieved import RETRIEVAL, Retrieved, read_retrieved
from tasks.evaluation.scoring.choice_names import name_by_order
from tasks.evaluation.spending.usage import Usage, add_usage, read_usage
from tasks.evaluation.statistics.accuracy import is_score

if TYPE_CHECKING:
    # At run time it would bring what reads question files, for which commands that only read records should not wait.
    from tasks.evaluation.questions.questions import Question


@dataclass(frozen=True)
class Grade:
    """What an answer is worth.

    Attributes:
        evaluation: in the form that results hold; its `score` is between 0 and 1.
        usage: what the judge has cost; empty without a judge.
        seconds: how long the grading took.
        clarification_usage: what it has cost to ask the generator which choice it meant; empty if that was clear.
    """

    evaluation: JsonObject
    usage: Usage
    seconds: float
    clarification_usage: Usage = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """The reason why a question will never get a score. `usage` is what the replies of the refusing endpoint have cost."""

    error: str
    usage: Usage


@dataclass(frozen=True)
class Ids:
    """The ids that decide what is reused: an equal `answer` id reuses the answer, an equal `score` id also the score."""

    answer: str
    score: str


def answer_record(answer_id: str, answer: Answer) -> JsonObject:
    """Return the answer as the answer log keeps it."""
    return {"kind": "answer", "answer_id": answer_id, **list_kept(answer)}


def list_kept(answer: Answer) -> JsonObject:
    """Return what is kept of an answer, wherever it is: what was retrieved only where something was."""
    return {name: value for name, value in vars(answer).items() if name != RETRIEVAL or value is not None}


def digest_answer(answer: Answer) -> str:
    """Return 16 hexadecimal digits of BLAKE2b over the answer, which tell it from other answers to the same request."""
    return blake2b(to_line(list_kept(answer)), digest_size=8).hexdigest()


def grade_record(score_id: str, answer: Answer, grade: Grade) -> JsonObject:
    """Return the grade as the answer log keeps it: it belongs to this answer alone, not to others to the same question."""
    kept = {name: value for name, value in vars(grade).items() if name != "clarification_usage" or value}
    return {"kind": "grade", "score_id": score_id, "answer_digest": digest_answer(answer), **kept}


def refusal_record(ids: Ids, refusal: Refusal, answer: Answer | None) -> JsonObject:
    """Return a refusal as the answer log keeps it: the generator's if `answer` is None, else the grader's."""
    kept = list_kept(answer) if answer else None
    return {"kind": "refusal", "answer_id": ids.answer, "score_id": ids.score, **vars(refusal), "answer": kept}


def parse_answer(record: Mapping[str, JsonValue]) -> Answer:
    """Return the answer in a record that `answer_record` made.

    Raises:
        DamagedFile: a field is missing or has the wrong type.
    """
    fields = {name: record.get(name) for name in Answer.__dataclass_fields__}
    texts = [fields[name] for name in ("reasoning", "finish_reason", "response_model")]
    is_sound = isinstance(fields["text"], str) and all(isinstance(text, str | None) for text in texts)
    is_sound = is_sound and isinstance(fields["token_logprobs"], dict | None)
    is_sound = is_sound and isinstance(fields[RETRIEVAL], dict | None)
    if not is_sound or not isinstance(fields["usage"], dict) or not isinstance(fields["seconds"], int | float):
        raise DamagedFile("a record of an answer lacks a field")
    if isinstance(retrieved := fields[RETRIEVAL], dict):
        Retrieved.from_json(retrieved)
    return Answer(**fields)  # type: ignore[arg-type]


def parse_grade(record: Mapping[str, JsonValue]) -> tuple[str, Grade]:
    """Return the answer's digest and the grade in a record that `grade_record` made.

    Raises:
        DamagedFile: a field is missing or has the wrong type, or the score is not from 0 to 1.
    """
    evaluation, usage, seconds = record.get("evaluation"), record.get("usage"), record.get("seconds")
    digest = record.get("answer_digest")
    is_sound = isinstance(digest, str) and isinstance(usage, dict) and isinstance(seconds, int | float)
    if not is_sound or not isinstance(evaluation, dict):
        raise DamagedFile("a record of a grade lacks a field")
    if not is_score(evaluation.get("score")):
        raise DamagedFile(f"a record of a grade has the score {evaluation.get('score')!r}")
    return digest, Grade(evaluation, usage, seconds, read_usage(record.get("clarification_usage")))  # type: ignore[arg-type,return-value]


def parse_refusal(record: Mapping[str, JsonValue]) -> Refusal:
    """Return the refusal in a record that `refusal_record` made."""
    return Refusal(str(record.get("error")), read_usage(record.get("usage")))


def is_sound_result(result: Mapping[str, JsonValue]) -> bool:
    """Return True if the record can be a question's result: it has a score, or was skipped for a stated reason."""
    return "error" in result if result.get("skipped") else is_score(result.get("score"))


def answer_of_result(result: Mapping[str, JsonValue]) -> Answer | None:
    """Return the answer in a result, also in one of the original script; None if it holds no answer."""
    text = result.get("model_answer")
    if not isinstance(text, str):
        return None
    usage = result.get("usage")
    generator_usage = usage.get("generator") if isinstance(usage, dict) else None
    fields: JsonObject = {
        "text": text,
        "reasoning": result.get("reasoning"),
        "usage": generator_usage or {},
        "finish_reason": result.get("finish_reason"),
        "response_model": result.get("response_model"),
        "seconds": result.get("model_time_seconds") or 0.0,
        "token_logprobs": result.get("token_logprobs"),
        RETRIEVAL: read_retrieved(result),
    }
    try:
        return parse_answer(fields)
    except DamagedFile:
        return None


def build_result(
    ids: Ids,
    question: "Question",
    answer: Answer,
    grade: Grade,
    *,
    order: Sequence[str] | None = None,
    retrieved: JsonObject | None = None,
) -> JsonObject:
    """Return the documented record of a scored question; `question_id` is set later, where its position is known.

    Args:
        ids: its ids.
        question: as it was asked.
        answer: the model's answer.
        grade: its grade.
        order: the choices' own labels in the order in which they were shown; the record then names choices by these. None: as
            they were shown.
        retrieved: the fields that describe the chunks that it was asked with; None without retrieval.
    """
    logprobs: JsonObject = {"token_logprobs": dict(answer.token_logprobs)} if answer.token_logprobs is not None else {}
    return {
        **describe_question(question),
        "model_answer": answer.text,
        "evaluation": grade.evaluation if order is None else name_by_order(grade.evaluation, [*question.choices], order),
        "score": grade.evaluation["score"],
        "format": question.format,
        "model_time_seconds": answer.seconds,
        "evaluation_time_seconds": grade.seconds,
        **(retrieved or describe_context(question)),
        "skipped": False,
        "answer_id": ids.answer,
        "score_id": ids.score,
        "usage": {"generator": add_usage(answer.usage, grade.clarification_usage), "grader": grade.usage},
        "finish_reason": answer.finish_reason,
        "response_model": answer.response_model,
        "reasoning": answer.reasoning,
        **logprobs,
        **({"order": list(order)} if order is not None else {}),
    }


def describe_question(question: "Question") -> JsonObject:
    """Return the beginning of a scored question's record."""
    return {"question_id": 0, "question": question.text, "reference_answer": question.reference}


def describe_context(question: "Question") -> JsonObject:
    """Return what a record says about the context without retrieval, in the original scorer's form."""
    return {
        "retrieval_info": {
            "retrieved_chunks": [],
            "retrieval_scores": [],
            "retrieval_indices": [],
            "context_source": "text_field" if question.context else "disabled",
            "rag_enabled": bool(question.context),
            "error": None,
        },
        "source_chunk_retrieved": None,
    }


def build_refused(ids: Ids, question: "Question", refusal: Refusal, answer: Answer | None) -> JsonObject:
    """Return the documented record of a question that was finally refused; with its answer, if only the grader refused."""
    kept: JsonObject = {}
    if answer:
        fields = ("finish_reason", "response_model", "reasoning")
        kept = {
            "model_answer": answer.text,
            "model_time_seconds": answer.seconds,
            **{name: getattr(answer, name) for name in fields},
        }
    usage: JsonObject = {"generator": refusal.usage, "grader": {}}
    if answer:
        usage = {"generator": answer.usage, "grader": refusal.usage}
    return {
        "question_id": 0,
        "question": question.text,
        "error": refusal.error,
        "skipped": True,
        "answer_id": ids.answer,
        "score_id": ids.score,
        "usage": usage,
        **kept,
    }


def build_unusable(error: str) -> JsonObject:
    """Return the documented record of an entry that cannot be asked."""
    return {"question_id": 0, "error": error, "skipped": True}


def is_refused(result: Mapping[str, JsonValue]) -> bool:
    """Return True if the record is that of a refused question: one that was asked, and has an id."""
    return bool(result.get("skipped")) and "answer_id" in result
