"""Secrets in settings: which values are secret, and the same settings without them."""

import re

from pydantic import JsonValue

# The user and password of a URL such as http://user:password@host.
URL_USER = re.compile(r"(?<=://)[^/@\s]+(?=@)")
MASK = "***"
# A key that ends in one of these holds a secret, dashes and case aside.
SECRET_KEYS = ("apikey", "authorization", "password", "passwd", "secret", "token", "credentials")
# The values in a URL's query, where some gateways want their key.
URL_QUERY = re.compile(r"(?<=[?&])([^=&\s]+)=[^&\s]+")


def mask_secrets(value: JsonValue) -> JsonValue:
    """The same value with every key and password in it replaced; references to a secret's place are kept."""
    if isinstance(value, dict):
        return {key: MASK if is_secret(key, item) else mask_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_secrets(item) for item in value]
    if isinstance(value, str) and "://" in value:
        return URL_QUERY.sub(rf"\1={MASK}", URL_USER.sub(MASK, value))
    return value


def is_reference(key: str) -> bool:
    """Whether a key is not the secret itself but says where it is: `${NAME}` or `secret:name`."""
    return bool(re.fullmatch(r"\$\{\w+\}|secret:\S+", key))


def is_secret(key: str, value: JsonValue) -> bool:
    """Whether a setting of that name and value is a secret in clear."""
    named = key.lower().replace("-", "").replace("_", "").endswith(SECRET_KEYS)
    return named and bool(value) and not isinstance(value, int | float) and not (isinstance(value, str) and is_reference(value))
