"""The addresses of a model, as the settings write them: one, or a list, each with a weight behind it if it has one, or a file.

`http://node1:8000/v1 2` takes twice the share of `http://node2:8000/v1`. `file:servers.txt` names a file that lists them.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from tasks.evaluation.config.paths import expand_path
from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.config.urls import check_url

MOST_WEIGHT = 1_000.0
# What begins the name of a file that lists addresses.
FILE = "file:"
# The host, of which an IPv6 address stands in brackets, and the port.
SERVER = re.compile(r"(\[[\da-fA-F:.]+\]|[\w.-]+)(:\d+)?")
DEFAULT_PORTS = {"http": 80, "https": 443}


class WeightedUrl(NamedTuple):
    """An address, and its share."""

    url: str
    """The address."""
    weight: float = 1.0
    """How many requests it gets for each one that an address of weight 1 gets."""


def read_line(line: str) -> WeightedUrl:
    """Return the address that a line holds, and the weight behind it.

    Raises:
        ValueError: it holds something else.
    """
    words = line.split()
    if not words:
        raise ValueError("an address is empty: http://HOST:PORT/v1 was expected")
    url, *rest = words
    if url.startswith(FILE):
        raise ValueError(f"{url!r} stands in a list: a file of addresses takes the place of the whole list")
    url = check_url(url)
    if not rest:
        return WeightedUrl(url)
    weight = float(rest[0]) if rest[0].replace(".", "", 1).isdecimal() and len(rest) == 1 else 0.0
    if not 0 < weight <= MOST_WEIGHT:
        raise ValueError(
            f"{mask_urls(url)!r}: only its weight may follow an address, a number over 0 and up to {MOST_WEIGHT:,.0f}"
        )
    return WeightedUrl(url, weight)


def read_lines(lines: Sequence[str]) -> list[WeightedUrl]:
    """Return the addresses that the lines hold.

    Raises:
        ValueError: a line holds something else, or an address is listed twice, or none.
    """
    found = [read_line(line) for line in lines]
    places = [name_place(each.url) for each in found]
    twice = next((each.url for each, place in zip(found, places, strict=True) if places.count(place) > 1), None)
    if twice:
        raise ValueError(f"{mask_urls(twice)!r} is listed twice: give it a weight of 2 if it is to get twice as much")
    if not found:
        raise ValueError("the list of addresses is empty")
    return found


def check_one(base: str) -> str:
    """Return the address, if requests can be sent to it; for a file of addresses, with its path expanded.

    Raises:
        ValueError: as for `check_url`; or the file's path cannot be used.
    """
    if not base.startswith(FILE):
        return check_url(base)
    path = base.removeprefix(FILE).strip()
    if not path or path.startswith("//"):
        raise ValueError(f"{base!r} names no file of addresses: write {FILE}servers.txt, or {FILE}/FOLDER/servers.txt")
    return f"{FILE}{expand_path(path)}"


def find_file(base: str | list[str] | None) -> str | None:
    """Return the path of the file that lists the addresses; None if the setting holds them itself."""
    return base.removeprefix(FILE) if isinstance(base, str) and base.startswith(FILE) else None


def name_place(url: str) -> str:
    """Return the address in the one spelling that all its spellings share: requests to it go to the same place."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    with suppress(ValueError):
        host = ipaddress.ip_address(host).compressed
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://[{host}]:{port}{parts.path.rstrip('/')}?{parts.query}"


def read_servers(servers: Sequence[str], port: int | None) -> list[WeightedUrl]:
    """Return the addresses of servers that are given as `host` or `host:port`; `port` is that of the first.

    Raises:
        ValueError: as for `read_lines`.
    """
    return read_lines([name_server(each, port) if each.strip() else "" for each in servers])


def name_server(server: str, port: int | None) -> str:
    """Return the address of a server that is given as `host` or `host:port`, with its weight; `port` is that of the first.

    Raises:
        ValueError: it is given as something else.
    """
    place, *weight = server.split(maxsplit=1)
    if not SERVER.fullmatch(place):
        raise ValueError(
            f"{mask_urls(place)!r} is no server: HOST or HOST:PORT was expected, with an IPv6 address in brackets; "
            "give an address with http:// as base_url"
        )
    bare = place.rpartition("]")[2]
    placed = place if ":" in bare else f"{place}:{port or 8000}"
    return " ".join([f"http://{placed}/v1", *weight])


def _check_servers(servers: Sequence[str]) -> None:
    """Check each server for itself: which of them are the same depends on the port of those that name none."""
    if not servers:
        raise ValueError("the list of addresses is empty")
    for server in servers:
        read_servers([server], None)


def check_server(server: str) -> str:
    """Return the server, if it is given as `host` or `host:port`; an empty one is as good as none.

    Raises:
        ValueError: it is given as something else.
    """
    if server.strip():
        check_url(name_server(server, None))
    return server


def _one_or_several(check: Callable[[Sequence[str]], object]) -> BeforeValidator:
    def validate(given: object) -> object:
        if given is None or isinstance(given, str):
            return given
        if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
            raise ValueError("one address, or a list of addresses, was expected")
        check(given)
        return given

    return BeforeValidator(validate)


# Addresses; one alone is checked where it stands, as an empty one means different things there.
Addresses = Annotated[str | list[str], _one_or_several(read_lines)]
# Servers, as `host` or `host:port`.
Servers = Annotated[str | list[str], _one_or_several(_check_servers)]
