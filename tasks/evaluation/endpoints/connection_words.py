"""A connection that does not come about, in words that fit on a card: `127.0.0.1:8000: Connection refused`.

Cannot connect to host 127.0.0.1:8000 ssl:default [Connect call failed ('127.0.0.1', 8000)]     what the HTTP client says
"""

import os
import re

UNCONNECTED = re.compile(r"Cannot connect to host (?P<host>\S+) ssl:\S+ \[(?P<reason>.*)\]", re.DOTALL)
# What Python's event loops say in place of the system's words; the number of the error may stand in front of it.
NAMELESS = re.compile(r"(?:\[Errno (?P<number>\d+)\] )?Connect call failed")


def describe_unconnected(error: BaseException) -> str:
    """Return what the error says, without what only the client's authors understand."""
    words = str(error)
    found = UNCONNECTED.fullmatch(words)
    if not found:
        return words
    reason, nameless = found["reason"], NAMELESS.search(found["reason"])
    if nameless:
        number = int(nameless["number"] or _find_number(error))
        reason = os.strerror(number) if number else "no connection"
    return f"{bracket(found['host'])}: {reason}"


def bracket(address: str) -> str:
    """Return HOST:PORT as URLs have it: with an IPv6 address in brackets."""
    host, _, port = address.rpartition(":")
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else address


def _find_number(error: BaseException) -> int:
    """Return the number of the system's error among the causes; 0 if no cause has one."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
            return cause.errno
        cause = cause.__cause__ or cause.__context__
    return 0
