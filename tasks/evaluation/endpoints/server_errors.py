"""What a server reports about a failure: which status it names, in which words, and about which setting.

Servers report failures as OpenAI does, `{"error": {"message": …, "code": …}}`, or in a form of their own: an error that is a
string, `detail`, `message` beside a code, a web page. Gateways pass another server's failure on with status 200. So the status
is the response's own if it is one of failure, else the one that the report names: as a number, by the name of a code, or, if
there is no code, in its words.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.evaluation.endpoints.web_pages import find_title
from tasks.evaluation.json_lines import JsonObject, JsonValue

OK = 200
UNKNOWN_FAILURE = 500
FAILURE_STATUS = range(400, 600)
# Where reports hold their words, and their codes: what is specific comes first.
WORD_FIELDS = (
    "message", "msg", "detail", "error_msg", "error_message", "errorMessage", "status_msg", "faultstring", "error", "title",
    "description", "reason",
)  # fmt: skip
CODE_FIELDS = (
    "code", "error_code", "errorCode", "status_code", "statusCode", "http_status", "reason", "status", "type",
)  # fmt: skip
NESTED_FIELDS = ("error", "innererror", "details", "errors", "base_resp", "fault", "metadata", "detail")
# Members of a body that reports a failure without a member `error`; `message` and `msg` do so only with a code or such words.
REPORT_FIELDS = ("errors", "detail", "error_msg", "error_message", "errorMessage", "base_resp", "fault")
# The status that a code's name or a report's words stand for; the first that is found counts.
NAMED_STATUS = (
    (402, r"insufficient_(?:quota|credit|balance|fund)|billing|payment_required|credit_balance|out_of_credit|arrear"),
    (429, r"rate_?limit|too_?many_?(?:\w{1,12}_)?requests|request_limit_reached|throttl|resource_?exhausted|quota"),
    (400, r"context_?length|context_?window|exceed_context|content_?(?:filter|policy)|moderation|data_?inspection|_sensitive"),
    (
        401,
        r"api_?key|unauthori[sz]ed|unauthenticated|authentication|invalid_token|token_(?:is_)?(?:expired|invalid)|login_fail",
    ),
    (403, r"permission|forbidden|access_?denied"),
    (404, r"not_?found|no_such_model|does_not_exist"),
    (503, r"overload|unavailable|capacity|busy|try_again"),
    (504, r"time_?out|timed_out|deadline"),
    (500, r"server_?error|internal"),
    (400, r"invalid|bad_?request|unsupported|not_supported|validation|too_l(?:ong|arge)|unprocessable"),
)
STATUS_IN_WORDS = re.compile(r"(?i)\b(?:status|code|error|http(?:/1\.1)?)\b\D{0,8}\b([45]\d\d)\b|^\W*([45]\d\d)\b")
MOST_NESTED = 4


@dataclass(frozen=True)
class ServerError:
    """A failure, as the server reports it."""

    status: int
    """The response's status, or the one that its body names."""

    words: str
    """The server's words on one line, with secrets that it may repeat."""

    names: tuple[str, ...]
    """Its codes and types in lower case, the most specific first."""

    parameter: str | None
    """The setting that it names as the cause."""

    is_moderated: bool = False
    """True if the report says for which reasons the question's content was flagged."""


def find_report(body: JsonValue) -> JsonValue:
    """Return the report of a failure in a body with status 200; None if it reports no failure."""
    if not isinstance(body, dict):
        return None
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    report = body.get("error") or (first.get("error") if isinstance(first, dict) else None)
    if isinstance(report, dict) and not any(report.values()):
        report = None
    if report or first is not None:
        return report or None
    if reason := _find_block(body):
        return {"message": f"the prompt was blocked: {reason}", "code": "content_filter"}
    return body if _is_report(body) else None


def _find_block(body: JsonObject) -> JsonValue:
    """Return the reason for which Gemini holds a prompt back; None if it does not."""
    feedback = body.get("promptFeedback") or body.get("prompt_feedback")
    return (feedback.get("blockReason") or feedback.get("block_reason")) if isinstance(feedback, dict) else None


def _is_report(body: JsonObject) -> bool:
    """Return True if a body without choices reports a failure; a greeting, or another API's reply, is no report."""
    if any(body.get(name) for name in REPORT_FIELDS) or body.get("success") is False:
        return True
    words = body.get("message") or body.get("msg")
    if isinstance(words, dict) or not words:
        return False
    has_code = any(isinstance(body.get(name), str | int) for name in CODE_FIELDS)
    return has_code or not isinstance(words, str) or bool(find_named_status(words) or STATUS_IN_WORDS.search(words))


def read_server_error(status: int, content: bytes) -> ServerError:
    """Return what a response with a status of failure reports."""
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        text = content.decode(errors="replace")
        return ServerError(status, _to_line(find_title(text) or text), (), None)
    if isinstance(body, list) and body and isinstance(body[0], dict):
        body = body[0]  # Gemini wraps its report in a list
    report = body.get("error") if isinstance(body, dict) else None
    return read_report(report or body, status)


def read_report(report: JsonValue, status: int = OK) -> ServerError:
    """Return what a report says; `status` is the response's."""
    report = _unpack(report)
    names, words = tuple(_list_codes(report)), _to_line(_find_words(report))
    parameter = report.get("param") if isinstance(report, dict) else None
    metadata = report.get("metadata") if isinstance(report, dict) else None
    return ServerError(
        status if status in FAILURE_STATUS else _find_status(names, words),
        words,
        names,
        parameter if isinstance(parameter, str) else None,
        is_moderated=isinstance(metadata, dict) and bool(metadata.get("reasons") or metadata.get("flagged_input")),
    )


def find_named_status(text: str) -> int | None:
    """Return the status that a code's name, or words, stand for, if any."""
    flat = re.sub(r"[\s-]+", "_", text.lower())
    return next((status for status, pattern in NAMED_STATUS if re.search(pattern, flat)), None)


def _find_status(names: tuple[str, ...], words: str) -> int:
    numbers = [int(name) for name in names if name.isdecimal() and len(name) == len(str(OK))]
    named = [find_named_status(name) for name in names]
    in_words = STATUS_IN_WORDS.search(words)
    found = [
        *(number for number in numbers if number in FAILURE_STATUS),
        *(status for status in named if status),
        *([int(in_words[1] or in_words[2])] if in_words else []),
    ]
    return next(iter(found), None) or find_named_status(words) or UNKNOWN_FAILURE


def _unpack(report: JsonValue) -> JsonValue:
    """Return the report, parsed if it is packed into a text: gateways pass on another server's report that way."""
    if not isinstance(report, str) or not report.lstrip().startswith("{"):
        return report
    try:
        body: JsonValue = json.loads(report)
    except (ValueError, RecursionError):
        return report
    return body.get("error") or body if isinstance(body, dict) else report


def _list_codes(report: JsonValue, depth: int = 0) -> Iterator[str]:
    if isinstance(report, list):
        report = report[0] if report else None
    if not isinstance(report, dict) or depth == MOST_NESTED:
        return
    for name in CODE_FIELDS:
        value = report.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value).lower()
    for name in NESTED_FIELDS:
        yield from _list_codes(report.get(name), depth + 1)


def _find_words(report: JsonValue, depth: int = 0) -> str:
    """Return what the report says in words, else all of it."""
    if isinstance(report, dict) and depth < MOST_NESTED:
        found = next((report[name] for name in WORD_FIELDS if report.get(name) and report[name] is not True), None)
        found = found or next((report[name] for name in NESTED_FIELDS if isinstance(report.get(name), dict)), None)
        if found:
            return _find_words(_unpack(found), depth + 1) + _find_original_words(report)
    if isinstance(report, list) and report and isinstance(report[0], dict) and "message" in report[0]:
        return _find_words(report[0], depth + 1)
    return report if isinstance(report, str) else json.dumps(report, ensure_ascii=False)


def _find_original_words(report: JsonObject) -> str:
    """Return what a gateway quotes from the server behind it, after a colon; empty if it quotes nothing."""
    metadata = report.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return f": {_find_words(_unpack(raw), MOST_NESTED - 1)}" if raw else ""


def _to_line(text: str) -> str:
    return " ".join(text.split())
