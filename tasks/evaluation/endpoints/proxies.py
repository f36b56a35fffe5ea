"""The proxies that the environment names: which one an address is asked through, and what the clients in use can read.

A server on this machine is never asked through a proxy. Names in `NO_PROXY` are read as curl reads them: hosts with everything
below them, addresses, ranges of addresses, `*` for all.
"""

import ipaddress
import re
from collections.abc import Mapping, MutableMapping
from importlib.util import find_spec
from urllib.parse import urlsplit

from tasks.evaluation.config.secrets import mask_urls

LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
# A host's name, or the end of one, with its port or without.
READABLE_NAME = re.compile(r"(?:https?://)?[*]?[\w.-]+(?::\d{1,5})?", re.ASCII)
SOCKS = ("socks5://", "socks5h://")


def bypass_proxies(environment: MutableMapping[str, str]) -> list[str]:
    """Let requests to this machine bypass the proxies that the environment names, here and in started processes.

    A proxy on another machine would look for the server there and fail after minutes. Browsers and Go bypass it by themselves;
    Python's and C's clients need an entry in `no_proxy`. If no proxy is named, nothing is changed: macOS then takes its own.

    Prefect's client stops with a traceback at proxies and exceptions that it cannot read, even for a server that needs no
    proxy. These are removed.

    Returns:
        Warnings for the user: the proxies that were removed.
    """
    named = [name for name in environment if name.lower().endswith("_proxy") and name.lower() != "no_proxy"]
    if not named:
        return []
    unusable = [name for name in named if environment[name] and not _is_usable(environment[name])]
    warnings = [f"⚠️ {name} names a proxy that cannot be used, and is ignored: {_shown(environment[name])}" for name in unusable]
    for name in unusable:
        del environment[name]
    # If both are set, the one in small letters counts; if only one is, the other must not hide it.
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [host.strip() for host in (environment.get(name) or said).split(",") if host.strip()]
        if "*" not in hosts:
            readable = [each for host in hosts for each in _make_readable(host)]
            environment[name] = ",".join(dict.fromkeys([*readable, *LOOPBACK]))
    return warnings


def choose_proxy(url: str, proxies: Mapping[str, str]) -> str | None:
    """Return the proxy through which the address is asked; None: it is asked directly.

    Args:
        url: the address.
        proxies: as `urllib.request.getproxies` returns them: by scheme, under `all` for all schemes, exceptions under `no`.
    """
    parts = urlsplit(url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or not _is_usable(proxy) or is_exempt(parts.hostname or "", proxies.get("no", "")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_exempt(host: str, exceptions: str) -> bool:
    """Return True if the host is on this machine, or among the exceptions of `NO_PROXY`."""
    address = _read_address(host)
    if host == "localhost" or host.endswith(".localhost") or (address and (address.is_loopback or address.is_unspecified)):
        return True
    return any(_covers(entry.strip().lower(), host.lower()) for entry in exceptions.split(",") if entry.strip())


def _covers(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    entry = entry.partition("://")[2] or entry
    bare = entry.strip("[]") if entry.startswith("[") and entry.endswith("]") else entry
    address = _read_address(host)
    if address is None:
        name = bare.partition(":")[0].lstrip("*").lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
    try:
        return address in ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return False


def _make_readable(entry: str) -> list[str]:
    """Return the exception in a form that Prefect's client can read; nothing if there is no such form."""
    bare = entry[1:-1] if entry.startswith("[") and entry.endswith("]") else entry
    try:
        network = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return [entry] if READABLE_NAME.fullmatch(entry) else []
    if network.version == 4:
        return [bare]
    return [str(network.network_address)] if network.num_addresses == 1 else []


def _is_usable(proxy: str) -> bool:
    """Return True if the clients in use can send requests through the proxy."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        is_address = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    has_socks = parts.scheme in ("socks5", "socks5h") and find_spec("socksio") is not None
    return is_address and (parts.scheme in ("http", "https") or has_socks)


def _shown(proxy: str) -> str:
    return mask_urls(proxy) if "://" in proxy else "it is no address"


def _read_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
