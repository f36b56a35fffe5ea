"""Repeats: a question that is asked several times has one record, made of those of its repeats.

The record's score is the mean of its repeats' scores; its answer and evaluation are those of the first, with the mean as score
and with every mark that any repeat has. `repeats` holds what each has of its own. Where one is refused, the question is.
Splitting a record gives the repeats' own records again, so that a later run can reuse each of them, whatever its own number of
repeats.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.questions.questions import Question
from tasks.evaluation.retrieval.retrieved import RETRIEVAL, read_retrieved
from tasks.evaluation.scoring.records import Ids, describe_context, describe_question
from tasks.evaluation.spending.tokens import ROLES
from tasks.evaluation.spending.usage import Usage, add_usage, read_usage

REPEATS = "repeats"
# What each repeat has of its own; all else belongs to the question.
OWN_FIELDS = (
    "answer_id",
    "score_id",
    "order",
    "model_answer",
    "evaluation",
    "score",
    "error",
    "skipped",
    "model_time_seconds",
    "evaluation_time_seconds",
    "usage",
    "finish_reason",
    "response_model",
    "reasoning",
    "token_logprobs",
)
MARKS = ("truncated", "no_choice", "clarified")


def select_own(record: Mapping[str, JsonValue]) -> JsonObject:
    """Return what a repeat's record holds that the question's other repeats do not share."""
    retrieved = read_retrieved(record)
    own: JsonObject = {RETRIEVAL: retrieved} if retrieved else {}
    return own | {name: record[name] for name in OWN_FIELDS if name in record and not (name == "skipped" and not record[name])}


def merge_repeats(
    ids: Ids, question: Question, repeats: Sequence[JsonObject], retrieved: JsonObject | None = None
) -> JsonObject:
    """Return the question's record.

    Args:
        ids: the question's own: its first answer id, and the id of all its scores together.
        question: as the file has it.
        repeats: what each has of its own, in order; if one was refused, those that are known.
        retrieved: the fields that describe the chunks that it was asked with; None without retrieval.
    """
    refused = next((repeat for repeat in repeats if repeat.get("skipped")), None)
    first = {name: value for name, value in (refused or repeats[0]).items() if name not in ("order", RETRIEVAL)}
    own: JsonObject = {"answer_id": ids.answer, "score_id": ids.score, "usage": _add_up(repeats), REPEATS: list(repeats)}
    shared = {**describe_question(question), "format": question.format, **(retrieved or describe_context(question))}
    if refused:
        return {**shared, **first, **own}
    for name in ("model_time_seconds", "evaluation_time_seconds"):
        own[name] = math.fsum(_read_number(repeat.get(name)) for repeat in repeats)
    return {**shared, "skipped": False, **first, **own, **_average(repeats)}


def split_repeats(record: JsonObject) -> Iterator[JsonObject]:
    """Yield the record of each repeat; of a question that was asked once, its own."""
    repeats = record.get(REPEATS)
    if not isinstance(repeats, list):
        yield record
        return
    common = {name: value for name, value in record.items() if name not in (*OWN_FIELDS, REPEATS)}
    yield from ({**common, "skipped": False, **repeat} for repeat in repeats if isinstance(repeat, dict))


def _average(repeats: Sequence[JsonObject]) -> JsonObject:
    """Return the mean score, and the first evaluation with it and with the marks that any has."""
    mean = math.fsum(_read_number(repeat.get("score")) for repeat in repeats) / len(repeats)
    score = int(mean) if mean.is_integer() else mean
    evaluations = [value for repeat in repeats if isinstance(value := repeat.get("evaluation"), dict)]
    first = dict(evaluations[0]) if evaluations else {}
    marks = {name: True for name in MARKS for evaluation in evaluations if evaluation.get(name) is True}
    return {"score": score, "evaluation": {**first, **marks, "score": score}}


def _add_up(repeats: Sequence[JsonObject]) -> JsonObject:
    usages = [usage for repeat in repeats if isinstance(usage := repeat.get("usage"), dict)]
    nothing: Usage = {}
    return {role: reduce(add_usage, (read_usage(usage.get(role)) for usage in usages), nothing) for role in ROLES}


def _read_number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
