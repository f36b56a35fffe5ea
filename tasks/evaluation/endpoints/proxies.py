"""This machine's own addresses, which no proxy of the environment can reach."""

from collections.abc import MutableMapping

LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound


def bypass_proxies(environment: MutableMapping[str, str]) -> None:
    """Let what is asked on this machine go past the proxies that the environment names, here and in started processes.

    A proxy on another machine would look for the server there and fail after minutes. Browsers and Go do the same; Python's and
    C's clients need it said in `no_proxy`. Nothing is changed where no proxy is named: macOS takes its own then.
    """
    if not any(name.lower().endswith("_proxy") and name.lower() != "no_proxy" for name in environment):
        return
    # Where both are set, the one in small letters counts; where one is, it must not be hidden by the other.
    said = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    for name in ("no_proxy", "NO_PROXY"):
        hosts = [host.strip() for host in (environment.get(name) or said).split(",") if host.strip()]
        if "*" not in hosts:
            environment[name] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))
