"""What a failed request means; the only place where failures are distinguished.

| what came back | means |
|---|---|
| no connection, no answer in time, no HTTP, 408, 409, 5xx and any other status | EndpointFailure: asked again |
| 429 | RateLimited: asked again when its turn comes |
| 401, and a code that names a wrong key | KeyRefused: asked again with another key, if there is one now |
| 402, 403, 404, and a code that names a spent account | EndpointStop: nothing more can be asked |
| 400, 413, 422, 451, and 403 for what the question holds | Declined: final for this request |
| a redirect, 405, 501 and the like | NoCompletion: asked again once something was answered, else the address is wrong |

Status, code and headers decide. The words of the message count only where those leave it open: for which reason a request was
declined, and what a body with status 200 reports without a code.
"""

import re
import time
from collections.abc import Mapping

import httpx2
import openai

from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.endpoints.advice import advise, exceeds_context_by_setting, mentions_context
from tasks.evaluation.endpoints.connection_words import describe_unconnected
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.http_reply import HttpReply
from tasks.evaluation.endpoints.rate_limit import read_reset
from tasks.evaluation.endpoints.server_errors import ServerError, read_server_error
from tasks.evaluation.errors import (
    Declined,
    EndpointFailure,
    EndpointStop,
    EvaluationError,
    KeyRefused,
    NoCompletion,
    RateLimited,
)

UNAUTHORIZED, PAYMENT_REQUIRED, FORBIDDEN = 401, 402, 403
STOP_STATUS = {
    UNAUTHORIZED: "renew the API key (api_key)",
    PAYMENT_REQUIRED: "renew the account's credit",
    FORBIDDEN: "ask for access to this model, or renew the API key (api_key)",
    404: "fix the address (base_url) or the model's name (model)",
}
DECLINED_STATUS = (400, 413, 422, 451)
# Declined for what the request holds, whatever the words.
CONTENT_STATUS = (413, 451)
# No chat completions API answers these to a request for a completion.
FOREIGN_STATUS = (405, 406, 410, 421, 426, 501, 505, 511)
TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
# What llama.cpp says with status 500 to a text that is longer than its batch, and others with 400.
IS_TOO_LONG_TEXT = re.compile(r"(?i)too (?:large|long)|physical batch|maximum (?:context|sequence|input)|exceed")
REDIRECTS = range(300, 400)
# What a filter in front of a model says about the one question that it holds back.
IS_MODERATED = re.compile(
    r"(?i)content[ _-]?(?:filter|policy|management|moderation)|moderat|flagged|responsible_?ai|data[ _]?inspection|guardrail|"
    r"safety (?:system|polic|filter|setting)|usage polic|prohibited|harmful|inappropriate|"
    r"sensitive (?:content|word|information)|content exists risk|(?:new|input|output)_sensitive|不安全|敏感|prompt injection|"
    r"(?:request|prompt|message) (?:was |has been )?blocked"
)
# The same words about the user concern every question.
IS_ABOUT_USER = re.compile(
    r"(?i)\b(?:account|api[ _-]?key|organi[sz]ation|project|subscription|user) (?:\S+ ){0,3}(?:flagged|prohibit)"
)
# Codes and words with which a status that may mean anything says that the account or the key is the cause.
IS_SPENT = re.compile(r"(?i)insufficient[_ ](?:quota|credit|balance|fund)|billing_|credit[ _]balance|out of credit|arrear")
# An account without money, in Chinese; no rate limit is called so.
IS_EMPTY = re.compile("余额不足|欠费")
IS_WRONG_KEY = re.compile(r"(?i)api[_ ]?key[_ ](?:not[_ ]valid|invalid)|(?:invalid|incorrect)[_ ]api[_ ]?key")
# A 403 or 404 in these words concerns every question; in others, a firewall may hold back a single one.
IS_ABOUT_KEY = re.compile(
    r"(?i)\b(?:api|access|key|token|credential|permission|organi[sz]ation|account|project|subscription|plan|region|country|quota"
    r"|model|deployment|does not exist|not found)\b"
)
# In OpenSSL's words; no certificate is trusted at the next try that is not trusted at this one.
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
MOST_WORDS = 300
# An error may say no more than its kind.
NO_WORDS = "no response came"
LONGEST_RESET_SECONDS = 60.0


def classify_status(response: httpx2.Response | HttpReply, endpoint: Endpoint) -> EvaluationError:
    """Return the error that a response with a status of failure means at this endpoint."""
    status, location = response.status_code, response.headers.get("location", "")
    if status in REDIRECTS:
        target = mask_urls(_make_encodable(endpoint.scrub_words(location))) or "nowhere"
        return NoCompletion(
            f"the {endpoint.role} answered {status} with a redirect to {target}; "
            "write the address that answers itself, up to /v1, as base_url",
            is_foreign=True,
        )
    error = read_server_error(status, response.content)
    if status in FOREIGN_STATUS:
        words = shorten(error.words, endpoint)
        return NoCompletion(f"the {endpoint.role} answered {status}: {words}; fix the address (base_url)", is_foreign=True)
    return classify_report(error, endpoint, read_retry_after(response.headers, time.time()))


def classify_report(error: ServerError, endpoint: Endpoint, retry_after_seconds: float = 0.0) -> EvaluationError:
    """Return the error that a server's report means at this endpoint."""
    words = shorten(error.words, endpoint)
    message = f"the {endpoint.role} answered {error.status}: {words}"
    is_moderated = _is_moderated(error)
    if (cause := _find_stop(error)) and not is_moderated:
        may_be_one = cause == error.status and cause in (FORBIDDEN, 404) and not IS_ABOUT_KEY.search(error.words)
        words = f"{message}; {STOP_STATUS[cause]}"
        return KeyRefused(words) if cause == UNAUTHORIZED else EndpointStop(words, may_be_one=may_be_one)
    is_too_long = mentions_context(f"{error.words} {' '.join(error.names)}")
    is_too_long |= endpoint.api == "embeddings" and bool(IS_TOO_LONG_TEXT.search(error.words))
    if (
        error.status in DECLINED_STATUS
        or (error.status == FORBIDDEN and is_moderated)
        or (endpoint.api == "embeddings" and is_too_long and error.status == SERVER_ERROR)
    ):
        return Declined(
            message,
            advise(endpoint, words, error.parameter),
            is_about_content=is_moderated
            or error.status in CONTENT_STATUS
            or (is_too_long and not exceeds_context_by_setting(endpoint, error.words)),
            is_too_long=is_too_long,
        )
    if error.status == TOO_MANY_REQUESTS:
        return RateLimited(message, retry_after_seconds)
    return EndpointFailure(message, retry_after_seconds)


def classify_silence(error: openai.OpenAIError | httpx2.RequestError, endpoint: Endpoint) -> EndpointFailure | EndpointStop:
    """Return the error that a missing response means at this endpoint."""
    cause = (error.__cause__ if isinstance(error, openai.OpenAIError) else None) or error
    words = shorten(describe_unconnected(cause) or str(error) or NO_WORDS, endpoint)
    if UNTRUSTED in words:
        cure = "set the variable SSL_CERT_FILE to the certificate file of the authority that signed it"
        return EndpointStop(f"the {endpoint.role}'s certificate is not trusted: {words}; {cure}")
    return EndpointFailure(f"the {endpoint.role} {_describe_silence(cause)}: {words}")


def read_retry_after(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds that a response asks to wait, 0 if it does not say; `now` is in seconds since 1970.

    Without `retry-after`, it is the time until a limit that is spent is reset, a minute at most: then it is tried again.

    Source: RFC 9110, 10.2.3 (seconds, or a date; some servers write durations and Unix times); `retry-after-ms` is OpenAI's
    and Azure's.
    """
    if "retry-after-ms" in headers:
        milliseconds = read_reset(headers["retry-after-ms"], now)
        return (milliseconds or 0.0) / 1000
    if "retry-after" in headers:
        return read_reset(headers["retry-after"], now) or 0.0
    spent = (kind for kind in ("requests", "tokens") if headers.get(f"x-ratelimit-remaining-{kind}", "0") == "0")
    resets = [read_reset(headers.get(f"x-ratelimit-reset-{kind}", ""), now) or 0.0 for kind in spent]
    return min(max(resets, default=0.0), LONGEST_RESET_SECONDS)


def _find_stop(error: ServerError) -> int | None:
    """Return the status that stands for the problem, if nothing more can be asked until it is fixed."""
    said = " ".join(error.names)
    if error.status in (400, FORBIDDEN, TOO_MANY_REQUESTS):
        # A rate limit is often called a quota in words, so that a 429 is judged by its code alone.
        words = said if error.status == TOO_MANY_REQUESTS else f"{said} {error.words}"
        if IS_SPENT.search(words) or IS_EMPTY.search(error.words):
            return PAYMENT_REQUIRED
        if IS_WRONG_KEY.search(words):
            return UNAUTHORIZED
    return error.status if error.status in STOP_STATUS else None


def _is_moderated(error: ServerError) -> bool:
    """Return True if the question was held back for what it says."""
    if error.status not in (*DECLINED_STATUS, FORBIDDEN) or IS_ABOUT_USER.search(error.words):
        return False
    return error.is_moderated or bool(IS_MODERATED.search(f"{' '.join(error.names)} {error.words}"))


def _describe_silence(cause: BaseException) -> str:
    """Return what went wrong so that no response came."""
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
        return "cannot be reached"
    if isinstance(cause, httpx2.TimeoutException | openai.APITimeoutError):
        return "did not answer in time"
    if isinstance(cause, httpx2.RemoteProtocolError | httpx2.DecodingError):
        return "answered with something that is no HTTP"
    return "broke the connection off"


def shorten(words: str, endpoint: Endpoint) -> str:
    """Return the words, shortened only when no secret is left in them that could be cut in two."""
    return _make_encodable(endpoint.scrub_words(" ".join(words.split())))[:MOST_WORDS]


def _make_encodable(words: str) -> str:
    """Return the words with question marks for what has no form in UTF-8, in which messages are kept and sent."""
    return words.encode("utf-8", "replace").decode()
