"""Checks of what is sent to an endpoint, for settings that come from several files."""

import json
from urllib.parse import urlsplit

from pydantic import JsonValue

from tasks.evaluation.masking import mask_secrets

# What the project sends itself, or could not read the reply to.
RESERVED_EXTRA = ("messages", "model", "n", "stream")


def check_url(url: str) -> str:
    """The URL, if it is one that can be asked.

    Raises:
        ValueError: it is not http or https, or names no host, or carries a user and password.
    """
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError(f"{mask_secrets(url)!r} is no address: http://HOST:PORT/v1 was expected")
    if parts.username or parts.password:
        raise ValueError(f"{mask_secrets(url)!r} holds a user or password: give the key as api_key")
    return url


def check_extra(extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The settings that are merged into each request, if they can be sent.

    Raises:
        ValueError: they would replace what the project sends itself, or are no JSON.
    """
    reserved = [name for name in RESERVED_EXTRA if name in extra]
    if reserved:
        raise ValueError(f"extra may not set {', '.join(reserved)}")
    json.dumps(extra, allow_nan=False)
    return extra
