"""Checks that a Prefect server answers, made before anything else is started."""

import time

from tasks.evaluation.errors import UserMistake

# A server that is just starting may need a moment; one that is not there must not keep the user waiting.
ATTEMPTS, PAUSE_SECONDS, TIMEOUT_SECONDS = 3, 1.0, 5.0


def is_healthy(api_url: str) -> bool:
    """Return True if a Prefect server answers there, asked with the HTTP client that Prefect itself uses."""
    import httpx  # noqa: PLC0415 - takes a moment, which the other commands should not spend

    try:
        return httpx.get(f"{api_url}/health", timeout=5, follow_redirects=True).status_code == httpx.codes.OK
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def require_server(api_url: str) -> None:
    """Check that the Prefect server of the user's settings can be used, with their keys and certificates.

    Raises:
        UserMistake: it does not answer after a few attempts, or its version does not match.
    """
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings  # noqa: PLC0415 - takes seconds

    failure: Exception | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE_SECONDS if attempt else 0)
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
            failure = _ask_server()
        if failure is None:
            return
    raise UserMistake(
        f"no Prefect server can be used at {api_url} (PREFECT_API_URL): {failure}; start it, or unset PREFECT_API_URL: the run "
        "then starts a server of its own"
    )


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
