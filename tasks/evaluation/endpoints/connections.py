"""HTTP connections to an endpoint, by aiohttp: for the openai package's client, and for questions, which are posted without it.

The package's own way to use aiohttp caps headers at 8 KiB and connections at 100, and takes proxies from the environment in
forms that stop it with a traceback. Here each request goes through the proxy that `choose_proxy` names, or through none.
"""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.request import getproxies

import aiohttp
import anyio
import httpx2
from yarl import URL

from tasks.evaluation.endpoints.http_reply import ENCODING, HttpReply, unpack
from tasks.evaluation.endpoints.proxies import SOCKS, choose_proxy
from tasks.evaluation.endpoints.request_pattern import RequestPattern

# Some gateways report what their safety filters found in headers.
MOST_HEADER_BYTES = 2**16
CHUNK_BYTES = 2**14


def make_transport(url: str) -> "AiohttpTransport | SocksTransport":
    """Return the transport to the address: past every proxy, or through the one that the environment names for it."""
    context = httpx2.create_ssl_context()
    proxy = choose_proxy(url, getproxies())
    if proxy and proxy.startswith(SOCKS):
        return SocksTransport(verify=context, proxy=httpx2.Proxy(proxy), limits=httpx2.Limits(max_connections=None))
    return AiohttpTransport(context, proxy)


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends requests by aiohttp. To be used on one event loop only.

    Args:
        context: which certificates are trusted.
        proxy: the proxy's address, with its user and password if it needs them; None: no proxy.
    """

    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        self._context = context
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response, whose body is read on demand."""
        timeout = request.extensions.get("timeout", {})
        with _as_httpx_errors():
            response = await self._open_session().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout.get("connect"), sock_read=timeout.get("read")),
                proxy=self._proxy,
            )
        return httpx2.Response(response.status, headers=list(response.raw_headers), stream=_Body(response), request=request)

    async def post(self, pattern: RequestPattern, content: bytes) -> HttpReply:
        """Return the reply to the pattern with this body.

        Raises:
            httpx2.RequestError: none came, or it broke off or cannot be decoded.
        """
        with _as_httpx_errors():
            response = await self._open_session().post(
                pattern.url,
                headers=pattern.headers,
                data=content,
                allow_redirects=False,
                timeout=pattern.timeout,
                proxy=self._proxy,
            )
            async with response:
                received = await response.read()
        if ENCODING in response.headers:
            received = unpack(received, response.raw_headers)
        return HttpReply(response.status, response.headers, received)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        # aiohttp sessions must be created on the loop that uses them.
        self._session = self._session or aiohttp.ClientSession(
            # The number of workers already limits how many requests are open at once.
            connector=aiohttp.TCPConnector(ssl=self._context, limit=0),
            auto_decompress=False,
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # also from addresses without a name; some gateways need them
            max_line_size=MOST_HEADER_BYTES,
            max_field_size=MOST_HEADER_BYTES,
        )
        return self._session


class SocksTransport(httpx2.AsyncHTTPTransport):
    """Sends requests through a SOCKS proxy, which aiohttp cannot."""

    async def post(self, pattern: RequestPattern, content: bytes) -> HttpReply:
        """Return the reply as `AiohttpTransport.post` does; raises the same."""
        extensions = pattern.request.extensions
        request = httpx2.Request("POST", pattern.request.url, headers=pattern.headers, content=content, extensions=extensions)
        try:
            response = await self.handle_async_request(request)
            await response.aread()
        except (OSError, anyio.EndOfStream) as error:  # httpx2 leaves these of TLS as they are
            raise httpx2.ReadError(str(error)) from error
        return HttpReply(response.status_code, response.headers, response.content)


class _Body(httpx2.AsyncByteStream):
    """A response's body."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async for chunk in self._response.content.iter_chunked(CHUNK_BYTES):
                yield chunk

    async def aclose(self) -> None:
        self._response.release()


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """Raise aiohttp's errors as those that the openai package expects from a transport.

    Raises:
        httpx2.TransportError: in place of an error of aiohttp.
    """
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except (aiohttp.ClientConnectorError, aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError) as error:
        raise httpx2.ConnectError(str(error)) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
        raise httpx2.ReadError(str(error)) from error
    except aiohttp.ClientError as error:
        raise httpx2.RemoteProtocolError(str(error)) from error
