"""The records that stand for one question: what was answered, how it was graded, and the documented result.

`Answer` and `Grade` are what the answer log keeps; `build_result` makes of them the record that checkpoints, results and
Prefect hold. All are plain JSON objects, one a line.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.usage import Usage, add_usage, read_usage
from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, JsonValue, to_line
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.statistics.accuracy import is_score


@dataclass(frozen=True)
class Grade:
    """What an answer is worth.

    Attributes:
        evaluation: as results hold it; its `score` is between 0 and 1.
        usage: what a judge has cost; empty without one.
        seconds: how long the grading took.
        clarification_usage: what it has cost to ask the generator which choice it meant; empty where that was clear.
    """

    evaluation: JsonObject
    usage: Usage
    seconds: float
    clarification_usage: Usage = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Why a question has no score and will get none. `usage` is what the replies of the endpoint that refused have cost."""

    error: str
    usage: Usage


@dataclass(frozen=True)
class Ids:
    """What decides about reuse: an equal `answer` id reuses the answer, an equal `score` id the score as well."""

    answer: str
    score: str


def answer_record(answer_id: str, answer: Answer) -> JsonObject:
    """The answer as the answer log keeps it."""
    return {"kind": "answer", "answer_id": answer_id, **asdict(answer)}


def digest_answer(answer: Answer) -> str:
    """What tells the answer from others to the same request: 16 hexadecimal digits of BLAKE2b over its record."""
    return blake2b(to_line(asdict(answer)), digest_size=8).hexdigest()


def grade_record(score_id: str, answer: Answer, grade: Grade) -> JsonObject:
    """Return the grade as the answer log keeps it: of this answer, and of no other that the model gave to the question."""
    kept = {name: value for name, value in asdict(grade).items() if name != "clarification_usage" or value}
    return {"kind": "grade", "score_id": score_id, "answer_digest": digest_answer(answer), **kept}


def refusal_record(ids: Ids, refusal: Refusal, answer: Answer | None) -> JsonObject:
    """A refusal as the answer log keeps it: the generator's when there is no answer, else the grader's or the follow-up's."""
    kept = asdict(answer) if answer else None
    return {"kind": "refusal", "answer_id": ids.answer, "score_id": ids.score, **asdict(refusal), "answer": kept}


def parse_answer(record: Mapping[str, JsonValue]) -> Answer:
    """The answer of a record that `answer_record` made.

    Raises:
        DamagedFile: a field is missing, or of another kind.
    """
    fields = {name: record.get(name) for name in Answer.__dataclass_fields__}
    texts = [fields[name] for name in ("reasoning", "finish_reason", "response_model")]
    is_sound = isinstance(fields["text"], str) and all(isinstance(text, str | None) for text in texts)
    is_sound = is_sound and isinstance(fields["token_logprobs"], dict | None)
    if not is_sound or not isinstance(fields["usage"], dict) or not isinstance(fields["seconds"], int | float):
        raise DamagedFile("a record of an answer lacks a field")
    return Answer(**fields)  # type: ignore[arg-type]


def parse_grade(record: Mapping[str, JsonValue]) -> tuple[str, Grade]:
    """The digest of the answer and its grade, of a record that `grade_record` made.

    Raises:
        DamagedFile: a field is missing, or of another kind.
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
    """The refusal of a record that `refusal_record` made."""
    return Refusal(str(record.get("error")), read_usage(record.get("usage")))


def is_sound_result(result: Mapping[str, JsonValue]) -> bool:
    """Whether the record can stand as a question's result: with a score, or skipped with its reason."""
    return "error" in result if result.get("skipped") else is_score(result.get("score"))


def answer_of_result(result: Mapping[str, JsonValue]) -> Answer | None:
    """The answer that a result holds, the original's results included; None when it holds none."""
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
    }
    try:
        return parse_answer(fields)
    except DamagedFile:
        return None


def build_result(ids: Ids, question: Question, answer: Answer, grade: Grade) -> JsonObject:
    """The documented record of a scored question; `question_id` is set where its position is known."""
    logprobs: JsonObject = {"token_logprobs": dict(answer.token_logprobs)} if answer.token_logprobs is not None else {}
    return {
        "question_id": 0,
        "question": question.text,
        "reference_answer": question.reference,
        "model_answer": answer.text,
        "evaluation": grade.evaluation,
        "score": grade.evaluation["score"],
        "format": question.format,
        "model_time_seconds": answer.seconds,
        "evaluation_time_seconds": grade.seconds,
        "retrieval_info": {
            "retrieved_chunks": [],
            "retrieval_scores": [],
            "retrieval_indices": [],
            "context_source": "text_field" if question.context else "disabled",
            "rag_enabled": bool(question.context),
            "error": None,
        },
        "source_chunk_retrieved": None,
        "skipped": False,
        "answer_id": ids.answer,
        "score_id": ids.score,
        "usage": {"generator": add_usage(answer.usage, grade.clarification_usage), "grader": grade.usage},
        "finish_reason": answer.finish_reason,
        "response_model": answer.response_model,
        "reasoning": answer.reasoning,
        **logprobs,
    }


def build_refused(ids: Ids, question: Question, refusal: Refusal, answer: Answer | None) -> JsonObject:
    """The documented record of a question that was finally refused; the answer is kept where only what followed it was."""
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
    """The documented record of an entry that cannot be asked."""
    return {"question_id": 0, "error": error, "skipped": True}


def is_refused(result: Mapping[str, JsonValue]) -> bool:
    """Whether the record is that of a refused question: one that was asked, and has an id."""
    return bool(result.get("skipped")) and "answer_id" in result
