"""Checks that a Prefect server answers, made before anything else is started."""

import time

from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.errors import UserMistake

# A server that is just starting may need a moment; one that is not there must not keep the user waiting.
ATTEMPTS, PAUSE_SECONDS, TIMEOUT_SECONDS = 3, 1.0, 5.0
# Words of an error, and the setting of Prefect that mends it.
CURES = {
    "401 Unauthorized": "set PREFECT_API_AUTH_STRING to the server's name:password",
    "CERTIFICATE_VERIFY_FAILED": "set PREFECT_API_SSL_CERT_FILE to the certificate file of its authority",
}


def is_healthy(api_url: str) -> bool:
    """Return True if a Prefect server without TLS answers there, whether or not it wants a password."""
    import httpx  # noqa: PLC0415 - takes a moment, which the other commands should not spend

    try:
        return httpx.get(f"{api_url}/health", timeout=5, follow_redirects=True).status_code == httpx.codes.OK
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def require_server(api_url: str, *, named_by: str, otherwise: str) -> None:
    """Check that a Prefect server can be used, with the password and certificates of the user's settings.

    Args:
        api_url: its address.
        named_by: what has given the address.
        otherwise: what the user can do in place of starting the server.

    Raises:
        UserMistake: it does not answer after a few attempts, or its version does not match.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings  # noqa: PLC0415 - takes seconds

    failure: Exception | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS if attempt else 0)
        with temporary_settings({PREFECT_API_URL: api_url, PREFECT_CLIENT_MAX_RETRIES: 0}):
            failure = _ask_server()
        if failure is None:
            return
    assert failure is not None
    message = f"no Prefect server can be used at {api_url} ({named_by}): {_describe(failure)}; {otherwise}"
    raise UserMistake(mask_urls(message))


def _ask_server() -> Exception | None:
    """Ask the server once; return the error, or None if it can be used."""
    import httpx  # noqa: PLC0415 - as above
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - imports Prefect, which takes seconds
    from prefect.exceptions import PrefectException  # noqa: PLC0415 - the same

    try:
        with get_client(httpx_settings={"timeout": TIMEOUT_SECONDS}, sync_client=True) as client:
            client.raise_for_api_version_mismatch()
    except (httpx.HTTPError, httpx.InvalidURL, PrefectException, RuntimeError, ValueError) as failure:
        return failure
    return None


def _describe(failure: Exception) -> str:
    """Return what came in place of an answer, and the setting that mends it, if one does."""
    words = str(failure.__cause__ or failure).partition("\n")[0]
    return "; ".join([words, *(cure for mark, cure in CURES.items() if mark in words)])
