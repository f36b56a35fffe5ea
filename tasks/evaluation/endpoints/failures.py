"""What a request that failed means; the one place where failures are told apart.

| what came back | means |
|---|---|
| no connection, no answer in time, no HTTP, 408, 409, 5xx and any other status | EndpointFailure: asked again |
| 429 | RateLimited: asked again when it is its turn |
| 429 with the code insufficient_quota, 401, 402, 403, 404 | EndpointStop: nothing more can be asked until somebody acts |
| 400, 413, 422 | Declined: final for this request |

It is decided by status, code and headers, never by the words of the message, which change.
"""

import math
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp
import httpx2
import openai

from tasks.evaluation.endpoints.advice import advise
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import Declined, EndpointFailure, EndpointStop, EvaluationError, RateLimited

UNAUTHORIZED = 401
STOP_STATUS = {
    UNAUTHORIZED: "renew the API key (api_key)",
    402: "renew the account's credit",
    403: "ask for access to this model, or renew the API key (api_key)",
    404: "fix the address (base_url) or the model's name (model)",
}
DECLINED_STATUS = (400, 413, 422)
TOO_MANY_REQUESTS = 429
# In OpenSSL's words; no certificate is trusted at the next try that is not trusted at this one.
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
MOST_WORDS = 300


def classify_failure(error: openai.OpenAIError | aiohttp.ClientError, endpoint: Endpoint) -> EvaluationError:
    """The error of ours that the openai package's error means at this endpoint, or its transport's, where it is let through."""
    # Shortened only when no secret is left in it that could be cut in two.
    role, words = endpoint.role, endpoint.scrub_words(_server_words(error))[:MOST_WORDS]
    if not isinstance(error, openai.APIStatusError):
        return _classify_silence(error, role, words)
    message = f"the {role} answered {error.status_code}: {words}"
    if error.code == "insufficient_quota":
        return EndpointStop(f"{message}; {STOP_STATUS[402]}")
    if error.status_code in STOP_STATUS:
        return EndpointStop(f"{message}; {STOP_STATUS[error.status_code]}")
    if error.status_code in DECLINED_STATUS:
        return Declined(message, advise(endpoint, words, error.param if isinstance(error.param, str) else None))
    retry_after_seconds = read_retry_after(error.response.headers, time.time())
    if error.status_code == TOO_MANY_REQUESTS:
        return RateLimited(message, retry_after_seconds)
    return EndpointFailure(message, retry_after_seconds)


def _classify_silence(error: openai.OpenAIError | aiohttp.ClientError, role: str, words: str) -> EndpointFailure | EndpointStop:
    """The error of ours where there was no response."""
    if UNTRUSTED in words:
        cure = "let the variable SSL_CERT_FILE name the file of the authority that has signed it"
        return EndpointStop(f"the {role}'s certificate is not trusted: {words}; {cure}")
    return EndpointFailure(f"the {role} {_describe_silence(error)}: {words}")


def _describe_silence(error: openai.OpenAIError | aiohttp.ClientError) -> str:
    """What the endpoint did that has given no response."""
    if isinstance(error, aiohttp.ClientError):
        return "answered with something that is no HTTP"
    # The transport calls every failure to connect a timeout.
    was_reached = isinstance(error, openai.APITimeoutError) and not isinstance(error.__cause__, httpx2.ConnectTimeout)
    return "did not answer in time" if was_reached else "cannot be reached"


def read_retry_after(headers: Mapping[str, str], now: float) -> float:
    """The seconds that a response asks to wait, 0 when it does not; `now` is the time of day in seconds since 1970.

    Source: RFC 9110, 10.2.3 (seconds, or a date); `retry-after-ms` is OpenAI's and Azure's.
    """
    text = headers.get("retry-after", "")
    try:
        if "retry-after-ms" in headers:
            return _bound(float(headers["retry-after-ms"]) / 1000)
        if text.replace(".", "", 1).isdecimal():
            return _bound(float(text))
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now, 0.0)


def _bound(seconds: float) -> float:
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _server_words(error: Exception) -> str:
    """The server's own words about the failure, else the transport's, on one line.

    Many servers do not write them as OpenAI does: `{"error": "…"}`, `{"detail": […]}`, a page of HTML. Then it is all they say.
    """
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else body
    return " ".join(str(message or body or error.__cause__ or error).split())
