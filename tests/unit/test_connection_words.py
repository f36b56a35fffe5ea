"""A connection that does not come about is described in a few words that people understand."""

import asyncio

import httpx2
import pytest
from openai import DefaultAioHttpClient

from tasks.evaluation.endpoints.connection_words import describe_unconnected

IPV6, IPV4 = "[Errno 111] Connect call failed ('::1', 9, 0, 0)", "[Errno 111] Connect call failed ('127.0.0.1', 9)"
UNKNOWN = "Name or service not known"


async def connect(url: str) -> str:
    async with DefaultAioHttpClient() as client:
        with pytest.raises(httpx2.TransportError) as caught:
            await client.get(url)
    return describe_unconnected(caught.value)


def test_a_refused_connection_is_named_as_the_system_names_it() -> None:
    """As people know it from other programs."""
    assert asyncio.run(connect("http://127.0.0.1:9/v1")) == "127.0.0.1:9: Connection refused"


@pytest.mark.parametrize(
    ("said", "described"),
    [
        (f"Cannot connect to host a.example:443 ssl:default [{UNKNOWN}]", f"a.example:443: {UNKNOWN}"),
        (
            f"Cannot connect to host localhost:9 ssl:default [Multiple exceptions: {IPV6}, {IPV4}]",
            "localhost:9: Connection refused",
        ),
        (f"Cannot connect to host ::1:9 ssl:default [{IPV6}]", "[::1]:9: Connection refused"),
        (f"Cannot connect to host [::1]:9 ssl:default [{IPV6}]", "[::1]:9: Connection refused"),
        ("Cannot connect to host a:1 ssl:True [Connect call failed ('1.2.3.4', 1)]", "a:1: no connection"),
        ("Cannot connect to host a:1", "Cannot connect to host a:1"),
        ("Server disconnected", "Server disconnected"),
        ("", ""),
    ],
)
def test_everything_that_the_client_says_is_shortened_or_kept(said: str, described: str) -> None:
    """What it does not know is shown as it is."""
    assert describe_unconnected(OSError(said)) == described
