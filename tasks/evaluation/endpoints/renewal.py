"""Requests with keys that expire: a key that is refused is read again where it is kept, once for all requests in flight.

| a 401 to | means |
|---|---|
| a key that was replaced since | the request is sent again with the present one; nothing is read |
| the present key | it is read again; all that need it meanwhile wait for that one time |
| a key that was read because of a 401, and that nothing has accepted | the key is wrong: the run stops |

If what is read is the refused key itself, the run stops at once.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.http import Transport
from tasks.evaluation.endpoints.key_commands import print_key
from tasks.evaluation.endpoints.key_sources import InClear
from tasks.evaluation.endpoints.listed_models import ListedModel
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.errors import EndpointStop, KeyRefused, KeyRenewed, ServerFailure, UserMistake

Reply = TypeVar("Reply")


class RenewingTransport:
    """Sends requests to one endpoint, with its keys as they are at the time. To be used on one event loop only.

    Commands that print keys are run before the first request, not earlier.

    Args:
        endpoint: where the requests go.
        patience: how long one request, and its connection, may take.
        notify: takes what the user should know.

    Raises:
        UserMistake: the endpoint's address or key cannot be used.
    """

    def __init__(self, endpoint: Endpoint, patience: Patience, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._transport = Transport(endpoint, patience)
        self._printed = endpoint.sources.list_printed() if endpoint.sources else []
        seconds = endpoint.sources.refresh_seconds if endpoint.sources else None
        self._refresh_seconds = math.inf if seconds is None else seconds
        self._reading = asyncio.Lock()
        self._is_read = not self._printed
        # A key that was read because of a 401, and that nothing has accepted yet, is not read once more.
        self._is_untried = False
        self._read_at = time.monotonic()
        self._failure: UserMistake | EndpointStop | None = None

    async def ask(self, messages: list[Message]) -> tuple[Answer, Mapping[str, str]]:
        """Return the answer to the messages, and the headers that it came with.

        Raises:
            KeyRenewed: the key was refused, and there is another one.
            EvaluationError: as `Transport.ask` does.
        """
        return await self._send(lambda transport: transport.ask(messages))

    async def list_models(self, timeout_seconds: float) -> list[ListedModel]:
        """Return the models that the endpoint lists; empty if it does not list them.

        Raises:
            TimeoutError: there is no reply in that time; the time in which keys are read does not count.
            KeyRenewed: the key was refused, and there is another one.
            EvaluationError: as `Transport.list_models` does.
        """

        async def list_in_time(transport: Transport) -> list[ListedModel]:
            async with asyncio.timeout(timeout_seconds):
                return await transport.list_models()

        return await self._send(list_in_time)

    async def read_keys(self) -> None:
        """Run the commands that print its keys, if that was not done yet.

        Raises:
            UserMistake: one of them failed, or printed what cannot be a key.
        """
        async with self._reading:
            if self._is_read:
                return
            self._raise_failure()
            for key in self._printed:
                self._notify(f"The key for the {self._role} comes from the program {key.program} ({key.place})")
            try:
                self._use(await self._read())
            except UserMistake as mistake:
                self._failure = mistake
                raise
            self._is_read = True

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    @property
    def _role(self) -> str:
        return self._transport.endpoint.role

    async def _send(self, send: Callable[[Transport], Awaitable[Reply]]) -> Reply:
        if not self._is_read:
            await self.read_keys()
        elif time.monotonic() - self._read_at >= self._refresh_seconds and not self._reading.locked():
            await self._refresh()
        transport = self._transport
        try:
            reply = await send(transport)
        except KeyRefused as refusal:
            await self._renew(transport, refusal, time.monotonic())
            raise KeyRenewed(str(refusal)) from None
        if transport is self._transport:
            self._is_untried = False
        return reply

    async def _renew(self, refused: Transport, refusal: KeyRefused, refused_at: float) -> None:
        """Read the keys again, unless that was done since the request was sent.

        Raises:
            KeyRefused: there is no other key, or that one is refused as well.
            EndpointStop: a key cannot be read any more.
        """
        async with self._reading:
            if refused is not self._transport:
                return
            self._raise_failure()
            try:
                keys = await self._read_other(refused.endpoint, refusal)
            except EndpointStop as stop:
                self._failure = stop
                raise
            # What a command has printed for another endpoint before the refusal may be as old as the refused key.
            self._is_untried = all(key.read_at >= refused_at for key in self._printed)
            self._notify(f"The {self._role} did not accept its key any more: it was read again, and is another one now")
            self._use(keys)

    async def _read_other(self, refused: Endpoint, refusal: KeyRefused) -> InClear:
        """Return other keys than those that were refused.

        Raises:
            KeyRefused: no other keys are found, or the refused ones are the new ones already.
            EndpointStop: they cannot be read any more.
        """
        programs = ", ".join(key.program for key in self._printed)
        if self._is_untried:
            raise KeyRefused(f"{refusal}{programs and f'; it is the new one of {programs}'}") from None
        try:
            keys = await self._read(refused=refused.secrets)
        except (UserMistake, ServerFailure) as failure:
            words = refused.scrub_words(str(failure))
            raise EndpointStop(f"{words}; the {self._role} does not accept the former key any more") from None
        if keys == refused.in_clear:
            raise KeyRefused(f"{refusal}{programs and f'; {programs} printed the same key again'}") from None
        return keys

    def _raise_failure(self) -> None:
        """Raise again what has ended the reading of keys: those that have waited for it must not begin it again."""
        if self._failure:
            raise self._failure

    async def _refresh(self) -> None:
        """Read the keys because of their age; those in use are kept if that fails, for they are not refused yet."""
        async with self._reading:
            # After a failure it is tried again as much later.
            self._read_at = time.monotonic()
            try:
                keys = await self._read(oldest=self._read_at - self._refresh_seconds)
            except (UserMistake, ServerFailure) as failure:
                words = self._transport.endpoint.scrub_words(str(failure))
                self._notify(f"⚠️ {words}; the key in use is kept until it is refused")
                return
            self._use(keys)

    async def _read(self, *, refused: Collection[str] = (), oldest: float = -math.inf) -> InClear:
        """Return the keys as they are now.

        Raises:
            UserMistake: one of them cannot be had, or is no key.
            ServerFailure: Prefect's server does not give a Secret block.
        """
        sources = self._transport.endpoint.sources
        if sources is None:
            return self._transport.endpoint.in_clear
        for key in self._printed:
            await print_key(key, refused=refused, oldest=oldest)
        return await asyncio.to_thread(sources.read)

    def _use(self, keys: InClear) -> None:
        """Send later requests with these keys."""
        # A command may have printed its key some time ago, for another endpoint.
        self._read_at = min((key.read_at for key in self._printed), default=time.monotonic())
        if keys != self._transport.endpoint.in_clear:
            self._transport = self._transport.with_keys(keys)
