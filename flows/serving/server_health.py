"""Whether a Prefect server answers."""


def is_healthy(api_url: str) -> bool:
    """Return True if a Prefect server answers there, to the client that Prefect itself uses."""
    import httpx  # noqa: PLC0415 - takes a moment, which no other command should cost

    try:
        return httpx.get(f"{api_url}/health", timeout=5, follow_redirects=True).status_code == httpx.codes.OK
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
