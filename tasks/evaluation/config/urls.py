"""Checks of what is sent to an endpoint, shared by the settings of several files."""

import ipaddress
import json
import re
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from tasks.evaluation.config.paths import expand_variables
from tasks.evaluation.config.secrets import mask_urls

# Members that the project sends itself, or whose replies it could not read.
RESERVED_EXTRA = ("messages", "model", "n", "stream")

# An address before what follows it in the place of one alone: another, or its weight. A query may hold spaces.
FOLLOWED = re.compile(r"(?P<address>[^?\s]*?)(?:\s|,\s*https?:)|(?P<with_query>.*?),\s*https?:")

# Headers that frame a request and must agree with its body.
RESERVED_HEADERS = ("content-length", "content-type", "connection", "transfer-encoding", "accept-encoding", "host")
# Source: RFC 9110, 5.6.2 (token).
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_url(url: str) -> str:
    """Return the URL, if requests can be sent to it; for one that begins with `${NAME}`, with what the environment has there.

    A query is left as it is: keys in it are read where they are needed, and never kept.

    Raises:
        ValueError: it is not http or https, names no host, carries a user and password, has a fragment, or is followed by
            something; or the variable is not set. The message does not repeat what does not even look like a URL: it may be a
            key in the wrong place.
    """
    if url.startswith("${"):
        address, mark, query = url.partition("?")
        url = f"{expand_variables(address)}{mark}{query}"
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable:
        shown = f"{mask_urls(url)!r} is" if "://" in url else "this is"
        raise ValueError(f"{shown} no address: http://HOST:PORT/v1 was expected")
    if found := FOLLOWED.match(url):
        shown = mask_urls(found["address"] or found["with_query"])
        raise ValueError(f"more follows {shown!r}: write several addresses, or one with a weight, as a list")
    if parts.username or parts.password:
        raise ValueError(f"{mask_urls(url)!r} holds a user or password: give the key as api_key")
    if parts.fragment:
        raise ValueError(f"{mask_urls(url.partition('#')[0])!r} is followed by '#': no request can hold what stands behind it")
    return url


def split_query(url: str) -> tuple[str, dict[str, str]]:
    """Return the URL without its query, and the query's values by name; each request sends them after its own path."""
    parts = urlsplit(url)
    return parts._replace(query="").geturl(), dict(parse_qsl(parts.query, keep_blank_values=True))


def is_open_to_others(url: str) -> bool:
    """Return True if what is sent there can be read on its way: without TLS, and to another machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True
    return not (address.is_loopback or address.is_unspecified)


def check_extra(extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the settings that are merged into each request, if they can be sent.

    Raises:
        ValueError: they would replace what the project sends itself, or are not JSON.
    """
    reserved = [name for name in RESERVED_EXTRA if name in extra]
    if reserved:
        raise ValueError(f"extra may not set {', '.join(reserved)}")
    json.dumps(extra, allow_nan=False)
    return extra


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers, if they can be sent.

    Raises:
        ValueError: HTTP cannot carry a name or a value, or the project sets the header itself.
    """
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is not a header name")
        if name.lower() in RESERVED_HEADERS:
            raise ValueError(f"headers may not set {name}")
        if not value.strip() or not value.isascii() or not value.isprintable():
            raise ValueError(f"the value of {name} is empty, or holds characters that no header can hold")
    return headers
