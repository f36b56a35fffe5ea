"""What the body of a response with status 200 holds: an answer, a refusal, a reported failure, or nothing that can be used.

Only two kinds of end make an answer: the model has finished, or it was cut at its limit. An end by a filter is a refusal,
whatever text came before it. Every other end, known or unknown, is a failure, and the question is asked again.
"""

import json
import math

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.listed_models import ListedModel
from tasks.evaluation.endpoints.messages import join_reasoning, join_text, read_refusal, read_tool_call
from tasks.evaluation.endpoints.server_errors import find_report
from tasks.evaluation.endpoints.web_pages import describe_foreign, describe_text
from tasks.evaluation.errors import NoCompletion, Refused, UnusableReply
from tasks.evaluation.extraction.thinking import split_thinking
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.spending.usage import Usage, read_usage

CUT = "length"
# In lower case, with underscores between the words.
FINISHED_REASONS = frozenset(
    (
        *("stop", "stopped", "eos", "eos_token", "end", "end_turn", "stop_sequence", "stop_token"),
        *("complete", "completed", "finish", "finished", "done"),
    )
)
CUT_REASONS = frozenset(
    (
        *("length", "max_length", "max_tokens", "max_output_tokens", "max_completion_tokens", "model_length", "token_limit"),
        *("model_context_window_exceeded", "context_length"),
    )
)
FILTER_REASONS = frozenset(
    (
        *("content_filter", "content_filtered", "contentfilter", "content_flagged", "flagged", "moderation", "sensitive"),
        *("refusal", "safety", "image_safety", "recitation", "blocklist", "prohibited_content", "spii", "language"),
        *("guardrail_intervened", "error_toxic"),
    )
)
TOOL_REASONS = frozenset(("tool_calls", "tool_call", "tool_use", "function_call"))


class ReportedFailure(Exception):
    """A body with status 200 reports a failure.

    Args:
        report: the server's report.
        usage: what the reply has cost, as far as it says.
    """

    def __init__(self, report: JsonValue, usage: Usage) -> None:
        super().__init__("reported with status 200")
        self.report = report
        self.usage = usage


def read_reply(content: bytes, *, role: str, seconds: float, content_type: str = "") -> Answer:
    """Return the answer in a chat completion; an answer that was cut counts as far as it goes.

    Args:
        content: the response's body.
        role: who gave it, for messages.
        seconds: how long that took.
        content_type: the header that names the body's kind.

    Raises:
        ReportedFailure: it holds a report of a failure.
        NoCompletion: it is no chat completion.
        UnusableReply: the completion broke off before its end.
        Refused: the model or a filter withheld the answer, or a tool was called in its place.
    """
    body = _read_body(content, role, content_type)
    usage = read_usage(body.get("usage"))
    report = find_report(body)
    if report:
        raise ReportedFailure(report, usage)
    choice, message = _find_message(body, role, usage)
    finish_reason = _read_finish_reason(choice, role, usage)
    text, thought = split_thinking(join_text(message.get("content")))
    text = text if text.strip() else ""
    if not text:
        _check_declined(message, finish_reason, role, usage)
    return Answer(
        text=text,
        reasoning=join_reasoning(message) or thought,
        usage=usage,
        finish_reason=finish_reason,
        response_model=_text_or_none(body.get("model")),
        seconds=seconds,
        token_logprobs=_first_token_logprobs(choice.get("logprobs")),
    )


def read_models(content: bytes) -> list[ListedModel]:
    """Return the models in the answer to `GET /models`; empty if it is anything else."""
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        return []
    entries = body.get("data") if isinstance(body, dict) else None
    named = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    models = [(entry.get("id"), entry.get("owned_by")) for entry in named]
    return [ListedModel(name, owner if isinstance(owner, str) else "") for name, owner in models if isinstance(name, str)]


def _read_body(content: bytes, role: str, content_type: str) -> JsonObject:
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        text = content.decode(errors="replace")
        foreign = describe_foreign(content_type, text)
        raise NoCompletion(f"the {role} answered with {foreign or describe_text(text)}", is_foreign=bool(foreign)) from None
    if not isinstance(body, dict):
        raise NoCompletion(f"the {role} answered with JSON that is no chat completion")
    return body


def _find_message(body: JsonObject, role: str, usage: Usage) -> tuple[JsonObject, JsonObject]:
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise NoCompletion(f"the {role} answered without a message", usage)
    return choice, message


def _read_finish_reason(choice: JsonObject, role: str, usage: Usage) -> str | None:
    """Return why the completion ended, `length` if it was cut; None if the server does not say.

    Raises:
        Refused: a filter ended it.
        UnusableReply: it broke off before its end.
    """
    given = choice.get("finish_reason")
    if given is None or given == "":
        return None
    name = str(given).lower().replace("-", "_").replace(" ", "_")
    if name in CUT_REASONS:
        return CUT
    if name in FINISHED_REASONS | TOOL_REASONS:
        return str(given)
    if name in FILTER_REASONS:
        raise Refused(f"the {role}'s content filter withheld the answer (finish_reason {name})", usage)
    raise UnusableReply(f"the {role}'s answer broke off (finish_reason {str(given)!r})", usage)


def _check_declined(message: JsonObject, finish_reason: str | None, role: str, usage: Usage) -> None:
    """Check that an empty message says nothing in place of its content.

    Raises:
        Refused: it holds a refusal, or calls a tool.
    """
    refusal, call = read_refusal(message), read_tool_call(message)
    if refusal:
        raise Refused(f"the {role} declined to answer: {refusal}", usage)
    if call or str(finish_reason).lower() in TOOL_REASONS:
        raise Refused(f"the {role} called a tool in place of an answer: {(call or 'no name given')}", usage)


def _first_token_logprobs(logprobs: JsonValue) -> dict[str, float] | None:
    """Return the likeliest first tokens with the logarithms of their probabilities; None if the reply has no such tokens."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = tokens[0] if isinstance(tokens, list) and tokens else None
    likeliest = first.get("top_logprobs") if isinstance(first, dict) else None
    found: dict[str, float] = {}
    for entry in likeliest if isinstance(likeliest, list) else []:
        token, logprob = (entry.get("token"), entry.get("logprob")) if isinstance(entry, dict) else (None, None)
        if isinstance(token, str) and isinstance(logprob, int | float) and math.isfinite(logprob):
            found[token] = logprob
    return found or None


def _text_or_none(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
