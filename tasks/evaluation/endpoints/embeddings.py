"""What the body of a response with status 200 holds that should hold vectors."""

import json
import math
from dataclasses import dataclass

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.responses import ReportedFailure
from tasks.evaluation.endpoints.server_errors import find_report
from tasks.evaluation.endpoints.web_pages import describe_foreign, describe_text
from tasks.evaluation.errors import NoCompletion, UnusableReply
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.spending.usage import read_usage


@dataclass(frozen=True)
class Embedded(Answer):
    """A reply with a vector for each text."""

    vectors: tuple[tuple[float, ...], ...] = ()
    """The vectors, in the order of the texts."""


def read_embeddings(content: bytes, *, count: int, role: str, seconds: float, content_type: str = "") -> Embedded:
    """Return the vectors in the reply.

    Args:
        content: the response's body.
        count: the number of texts that were sent.
        role: who gave it, for messages.
        seconds: how long that took.
        content_type: the header that names the body's kind.

    Raises:
        ReportedFailure: it holds a report of a failure.
        NoCompletion: it holds no vectors at all.
        UnusableReply: it holds other vectors than one for each text.
    """
    body = _read_body(content, role, content_type)
    usage = read_usage(body.get("usage"))
    report = find_report(body)
    if report:
        raise ReportedFailure(report, usage)
    entries = body.get("data")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "embedding" in entry for entry in entries):
        raise NoCompletion(f"the {role} answered without vectors", usage)
    vectors: dict[JsonValue, tuple[float, ...] | None] = {
        entry.get("index", place): _read_vector(entry["embedding"])
        for place, entry in enumerate(entries)
        if isinstance(entry, dict)
    }
    ordered = tuple(vectors.get(place) or () for place in range(count))
    if len(entries) != count or not all(ordered) or len({*map(len, ordered)}) > 1:
        raise UnusableReply(f"the {role} did not answer with one vector for each of {count} texts", usage)
    model = body.get("model")
    return Embedded(
        text="vectors",
        reasoning=None,
        usage=usage,
        finish_reason=None,
        response_model=model if isinstance(model, str) else None,
        seconds=seconds,
        vectors=ordered,
    )


def _read_body(content: bytes, role: str, content_type: str) -> JsonObject:
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        text = content.decode(errors="replace")
        foreign = describe_foreign(content_type, text)
        raise NoCompletion(f"the {role} answered with {foreign or describe_text(text)}", is_foreign=bool(foreign)) from None
    if not isinstance(body, dict):
        raise NoCompletion(f"the {role} answered with JSON that holds no vectors")
    return body


def _read_vector(value: JsonValue) -> tuple[float, ...] | None:
    """Return the vector; None if the value is no list of finite numbers."""
    numbers = [each for each in value if isinstance(each, int | float)] if isinstance(value, list) else []
    is_sound = isinstance(value, list) and len(numbers) == len(value) and all(map(math.isfinite, numbers))
    return tuple(map(float, numbers)) if numbers and is_sound else None
