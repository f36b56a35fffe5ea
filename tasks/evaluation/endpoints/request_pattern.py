"""The request that all questions share: everything but the messages, or the texts, is made once, by the openai package.

That is its address, its headers with the key, and the settings as JSON. Having the package make each request would take more
processor time than everything else that happens to a question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import httpx2
from openai import AsyncOpenAI
from yarl import URL

from tasks.evaluation.endpoints.apis import REQUESTS, Api
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.json_lines import ENCODER

NO_MESSAGES = b"[]}"
# Each request's own.
CONTENT_LENGTH = "content-length"


@dataclass(frozen=True)
class RequestPattern:
    """A request without messages."""

    request: httpx2.Request = field(repr=False)
    """As the openai package makes it."""

    url: URL = field(repr=False)
    """Its address."""

    headers: Mapping[str, str] = field(repr=False)
    """Its headers, in clear."""

    timeout: aiohttp.ClientTimeout
    """How long a connection may take. The caller limits the time until the reply is there."""

    start: bytes = field(repr=False)
    """Its body up to the messages."""

    has_roles: bool = True
    """Whether it takes messages with their roles, or texts."""

    def fill(self, messages: Sequence[Message]) -> bytes:
        """Return the body with the messages, or with their texts alone if it has no roles.

        Half surrogate pairs, which have no UTF-8 form, become question marks.
        """
        asked = messages if self.has_roles else [message["content"] for message in messages]
        return self.start + ENCODER.encode(asked).encode("utf-8", "replace") + b"}"


async def make_pattern(client: AsyncOpenAI, settings: Mapping[str, object], api: Api = "chat") -> RequestPattern:
    """Return the pattern of the client's requests with these settings.

    Raises:
        ValueError: the settings cannot be sent.
        TypeError: the same.
    """
    recorder = _Recorder()
    path, member = REQUESTS[api]
    body = {name: value for name, value in settings.items() if name != member}
    async with httpx2.AsyncClient(transport=recorder) as http_client:
        await client.with_options(http_client=http_client).post(path, cast_to=httpx2.Response, body={**body, member: []})
    request = recorder.requests[0]
    assert request.content.endswith(NO_MESSAGES), "the messages come last"
    return RequestPattern(
        request,
        URL(str(request.url), encoded=True),
        {name: value for name, value in request.headers.items() if name != CONTENT_LENGTH},
        aiohttp.ClientTimeout(total=None, sock_connect=request.extensions["timeout"]["connect"]),
        request.content.removesuffix(NO_MESSAGES),
        has_roles=api == "chat",
    )


class _Recorder(httpx2.AsyncBaseTransport):
    """Keeps requests in place of sending them."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200)
