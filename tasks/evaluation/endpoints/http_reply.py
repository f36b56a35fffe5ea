"""A reply as it came over the wire, whatever it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2

ENCODING = "content-encoding"


@dataclass(frozen=True)
class HttpReply:
    """A reply with all of its body."""

    status_code: int
    """Its status."""

    headers: Mapping[str, str]
    """Its headers, by names in any case."""

    content: bytes
    """Its body, unpacked."""

    @property
    def is_success(self) -> bool:
        """Return True if the status is one of success."""
        return 200 <= self.status_code < 300


def unpack(received: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the body, unpacked as its headers say.

    Raises:
        httpx2.DecodingError: it cannot be.
    """
    return httpx2.Response(200, headers=list(headers), content=received).content
