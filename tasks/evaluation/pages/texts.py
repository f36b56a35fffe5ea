"""The texts of a question and of its answers, as the page's blocks hold them.

A question, and each run's answer to it, is a record: fields in a fixed order, with a separator between them.

    question    stem, right labels, reference answer, number of choices, (label, text) of each choice, (name, value) of each
                other field
    answer      ATTEMPT_FIELDS for each attempt: one, or as many as the question was asked

Cleaned texts hold no separator (`clean_texts`), so a record needs no escapes: the page splits it, and searches it as it is.
"""

import json
from collections.abc import Iterator, Mapping

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.pages.clean_texts import clean_text
from tasks.evaluation.questions.choices_in_text import LabelledText, part_question
from tasks.evaluation.questions.printed_values import as_text
from tasks.evaluation.scoring.repeats import REPEATS
from tasks.evaluation.scoring.score_sheet import read_evaluation
from tasks.evaluation.spending.tokens import TokenSum

# The members of a record that make its question, beside the right choice in its evaluation.
QUESTION_MEMBERS = ("question", "reference_answer", "format", "fields")
FIELD_SEPARATOR, RECORD_SEPARATOR = "\x1f", "\x1e"
# In the order in which the page reads them.
ATTEMPT_FIELDS = (
    "error",
    "choice",
    "score",
    "answer",
    "grading",
    "reasoning",
    "finish",
    "model",
    "clarification",
    "order",
    "probabilities",
    "tokens",
    "seconds",
    "chunks",
)
# A whole number in a file from elsewhere may be larger than any float.
MOST_SHOWN = 1e300
# Choices are looked for in no longer text, since that takes time; a longer one is shown as it is.
LONGEST_PARTED = 50_000


def write_question(record: JsonObject) -> str:
    """Return the question's record: its parts, what is right, and its other fields."""
    parts = part_text(record)
    right = as_text(read_evaluation(record).get("reference_choice"))
    fields = [parts.stem, right, as_text(record.get("reference_answer")), str(len(parts.choices))]
    fields += [text for choice in parts.choices.items() for text in choice]
    others = record.get("fields")
    for name, value in others.items() if isinstance(others, dict) else ():
        fields += [name, as_text(value) or json.dumps(value, ensure_ascii=False)]
    return join_fields(fields)


def write_answer(record: JsonObject) -> str:
    """Return the record of a run's answer to the question, or of why it has no answer."""
    repeats = record.get(REPEATS)
    attempts = [each for each in repeats if isinstance(each, dict)] if isinstance(repeats, list) else []
    chunks = [_list_chunks(record), *[""] * len(attempts)]  # repeats share what was retrieved: the first shows it
    shown = zip(attempts or [record], chunks, strict=False)
    return join_fields([field for attempt, own in shown for field in (*_list_attempt(attempt), own)])


def join_fields(fields: list[str]) -> str:
    """Return the texts as one record."""
    return FIELD_SEPARATOR.join(map(clean_text, fields))


def part_text(record: JsonObject) -> LabelledText:
    """Return the question's stem and choices; no choices for a short answer, or for a text that is too long to look."""
    text, reference = as_text(record.get("question")), as_text(record.get("reference_answer"))
    if record.get("format") == "qa" or len(text) > LONGEST_PARTED:
        return LabelledText(text)
    return part_question(text, (reference,) if reference else ())


def _list_attempt(attempt: JsonObject) -> Iterator[str]:
    """Yield the fields of one attempt, in their order."""
    evaluation = read_evaluation(attempt)
    yield as_text(attempt.get("error"))
    yield as_text(evaluation.get("model_choice"))
    yield _format_number(attempt.get("score"))
    yield as_text(attempt.get("model_answer"))
    yield as_text(evaluation.get("reasoning"))
    yield as_text(attempt.get("reasoning"))
    yield as_text(attempt.get("finish_reason"))
    yield as_text(attempt.get("response_model"))
    yield as_text(evaluation.get("clarification"))
    yield _list_order(attempt.get("order"))
    yield _list_probabilities(evaluation.get("probabilities"))
    yield _count_tokens(attempt.get("usage"))
    yield _format_number(attempt.get("model_time_seconds"))


def _list_chunks(record: JsonObject) -> str:
    """Return the chunks that were retrieved, as JSON: score, id, path, text, and what is to be said of each."""
    info = record.get("retrieval_info")
    found = info.get("retrieved_chunks") if isinstance(info, dict) else None
    chunks = found[0] if isinstance(found, list) and found and isinstance(found[0], list) else []
    if not isinstance(info, dict) or not chunks:
        return ""
    rank, dropped = info.get("source_rank"), info.get("chunks_dropped")
    first_dropped = len(chunks) - (dropped if isinstance(dropped, int) else 0)
    rows = [
        [
            _format_number(chunk.get("score")),
            *(as_text(chunk.get(name)) for name in ("chunk_id", "path", "text")),
            "the question’s own" if place + 1 == rank else "left out, too long" if place >= first_dropped else "",
        ]
        for place, chunk in enumerate(chunks)
        if isinstance(chunk, dict)
    ]
    return json.dumps(rows, ensure_ascii=False)


def _list_order(order: JsonValue) -> str:
    """Return the choices' own labels in the order in which they were shown."""
    return " ".join(map(as_text, order)) if isinstance(order, list) else ""


def _list_probabilities(probabilities: JsonValue) -> str:
    if not isinstance(probabilities, dict):
        return ""
    known = {label: value for label, value in probabilities.items() if isinstance(value, int | float)}
    ordered = sorted(known.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{label} {value:.3f}" for label, value in ordered)


def _count_tokens(usage: JsonValue) -> str:
    by_role: Mapping[str, JsonValue] = usage if isinstance(usage, dict) else {}
    total = TokenSum.read(by_role.get("generator")).total
    return str(total) if total else ""


def _format_number(value: JsonValue) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST_SHOWN
    return f"{value:.4g}" if is_number else ""
