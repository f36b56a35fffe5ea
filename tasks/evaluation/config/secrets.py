"""Secrets: which values are secret, and how they are removed from settings and from text that comes from elsewhere.

What we write ourselves holds no secret because settings go through `mask_secrets`. What a server or a library says goes through
a `Scrubber`, which knows the secrets of its endpoint and finds them in the forms in which they are repeated.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

MASK = "***"
# A run of characters that may be a URL: it ends at white space or a quote.
URL_RUN = re.compile(r"[^\s'\"]+")
# The values in a URL's query, where some gateways want their key; a reference to a key's place does not count.
URL_QUERY = re.compile(r"(?<=[?&])([^=&\s]+=)?+(?!\$\{\w+\}(?:&|$)|secret:[^&\s]+)[^&\s'\"]+")
# A setting whose name ends in one of these holds a secret, ignoring dashes, underscores and case.
SECRET_NAMES = (
    "key", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "passphrase", "passwd", "password", "pwd",
    "secret", "token",
)  # fmt: skip
# A value of this form, that of a header, is a secret whatever the setting's name is.
SECRET_VALUE = re.compile(r"(?i)(?:bearer|basic)\s+\S+")
# Any header may carry a secret, whatever its name is.
HEADERS = "headers"
# What stands before a command that prints a key.
COMMAND = "command:"
# Shorter ones ("x", "none") are words that occur in any text, not secrets.
SHORTEST_SECRET = 5


def mask_secrets(value: JsonValue) -> JsonValue:
    """Return the value with every key and password in it masked; references to a secret's place are kept."""
    if isinstance(value, dict):
        return {name: _mask_setting(name, item) for name, item in value.items()}
    if isinstance(value, list):
        return [mask_secrets(item) for item in value]
    if isinstance(value, str):
        return MASK if SECRET_VALUE.fullmatch(value) else mask_urls(value)
    return value


def _mask_setting(name: str, value: JsonValue) -> JsonValue:
    if name == HEADERS and isinstance(value, dict):
        return {header: mask_urls(str(content)) if _names_place(content) else MASK for header, content in value.items()}
    return MASK if is_secret(name, value) else mask_secrets(value)


def _names_place(content: JsonValue) -> bool:
    """Return True if a header's value only says where its secret is, alone or after `Bearer` or the like."""
    if not isinstance(content, str):
        return False
    place = re.sub(r"^[A-Za-z]+ +(?=[$sc])", "", content)
    return is_reference(place) or is_command(place)


def mask_urls(text: str) -> str:
    """Return the text with the users, passwords and query values of all URLs in it masked."""
    return URL_QUERY.sub(rf"\g<1>{MASK}", URL_RUN.sub(_mask_user, text)) if "://" in text else text


def _mask_user(run: re.Match[str]) -> str:
    """Return the run with the user and password of a URL such as http://user:password@host masked.

    A password may hold any of `:/@?`. A pattern for it would try every `://` of a long run: that takes quadratic time, and the
    run comes from a server.
    """
    scheme, separator, rest = run[0].partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{MASK if user else ''}{at}{host}"


def is_reference(key: str) -> bool:
    """Return True if a key is not the secret itself but says where it is: `${NAME}` or `secret:name`."""
    return bool(re.fullmatch(r"\$\{\w+\}|secret:\S+", key))


def is_command(key: str) -> bool:
    """Return True if a setting names the command that prints the key: `command: PROGRAM ARGUMENT …`.

    To be asked of settings alone: what a variable or a block holds is a key, however it begins.
    """
    return key.startswith(COMMAND)


def is_secret(name: str, value: JsonValue) -> bool:
    """Return True if a setting with this name and value is a secret in clear."""
    if not value or isinstance(value, int | float) or (isinstance(value, str) and (is_reference(value) or is_command(value))):
        return False
    return name.lower().replace("-", "").replace("_", "").endswith(SECRET_NAMES)


def list_secrets(value: JsonValue, name: str = "") -> Iterator[str]:
    """Yield the secrets in clear that settings hold, whatever their names."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from list_secrets(item, key if is_secret(key, item) else name)
    elif isinstance(value, list):
        for item in value:
            yield from list_secrets(item, name)
    elif isinstance(value, str) and (name or SECRET_VALUE.fullmatch(value)):
        yield value
        yield from value.split()[1:]  # the key after `Bearer`


class Scrubber:
    """Masks secrets in text that comes from elsewhere.

    They are found as they are, as URLs, JSON and HTML write them, and in base64 at any place in the encoded text.

    Args:
        secrets: the texts that must not be seen.
        shortest: a secret of fewer characters is left alone: it may be a word that occurs in any text.
    """

    def __init__(self, secrets: Iterable[str], shortest: int = SHORTEST_SECRET) -> None:
        forms = {form for secret in secrets if len(secret) >= shortest for form in _list_forms(secret)}
        # The longest first, so that no part of one is left.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return the text with the secrets masked."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text


def _list_forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret), json.dumps(secret)[1:-1])
    for offset in range(3):
        # The first and last characters depend on the text before and after; those between depend on the secret alone.
        encoded = base64.b64encode(bytes(offset) + secret.encode()).decode()
        own = encoded[(offset * 8 + 5) // 6 : (offset + len(secret.encode())) * 8 // 6]
        yield from (own, own.replace("+", "-").replace("/", "_"))
