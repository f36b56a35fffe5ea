"""One address of a model: what is sent there, and what its replies and failures say about it."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.apis import WORDS
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.outage import Outage
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.rate_limit import RateLimit
from tasks.evaluation.endpoints.traffic import Traffic
from tasks.evaluation.errors import (
    Blocked,
    EndpointFailure,
    EndpointStop,
    EvaluationError,
    NoCompletion,
    RateLimited,
    UserMistake,
)

if TYPE_CHECKING:
    from tasks.evaluation.endpoints.renewal import RenewingTransport

# One question may be blocked for what it says; this many in a row are not.
BLOCKED_IN_A_ROW = 3
# One reply may be damaged on its way; if this many are, before any is usable, the address is wrong.
FIRST_REPLIES = 3


class Address:
    """An endpoint at one of its addresses. To be used on one event loop only.

    `rate` is the rate of requests that it accepts, `outage` knows whether anything gets through, and `traffic` counts.

    Args:
        endpoint: what is asked.
        patience: how long to wait for it.
        notify: takes what the user should know.
        has_others: returns True if another address of the model is asked meanwhile; None: it has no other.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        patience: Patience,
        notify: Callable[[str], None],
        has_others: Callable[[], bool] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.rate = RateLimit()
        self.traffic = Traffic(endpoint.role, endpoint.shown_url)
        place = endpoint.shown_url if has_others else ""
        self.outage = Outage(endpoint.role, patience, notify, place, has_others or (lambda: False))
        self._patience = patience
        self._notify = notify
        self._transport: RenewingTransport | None = None
        self._turns = asyncio.Lock()
        self._has_answered = False
        self._blocked_in_a_row = self._no_completions = 0

    @property
    def transport(self) -> "RenewingTransport":
        """Return what sends the requests; made for the first of them.

        Raises:
            UserMistake: the address or the key cannot be used.
        """
        if self._transport is None:
            # Imports the openai package, for which a run that finds everything answered should not wait.
            from tasks.evaluation.endpoints.renewal import RenewingTransport  # noqa: PLC0415

            self._transport = RenewingTransport(self.endpoint, self._patience, self._notify)
        return self._transport

    async def close(self) -> None:
        """Close the connections."""
        if self._transport:
            await self._transport.close()

    async def wait_for_turn(self) -> None:
        """Return when the next request may be sent: neither an outage nor the rate forbids it."""
        await self.outage.wait_for_turn()
        if not self.rate.is_limited:
            self.rate.take_turn(time.monotonic())
            return
        async with self._turns:  # those that wait are served in their order
            # The time may have moved on while it was waited for, by another 429.
            while (seconds := self.rate.seconds_until_turn(time.monotonic())) > 0:  # noqa: ASYNC110
                await asyncio.sleep(seconds)
            self.rate.take_turn(time.monotonic())

    def note_answer(self, answer: Answer, headers: Mapping[str, str], tokens: int) -> None:
        """Note a reply and the number of tokens that it has cost."""
        self.traffic.replies += 1
        self.traffic.seconds += answer.seconds
        self.outage.note_reply()
        self.rate.note_headers(headers, tokens, now_seconds=time.time())
        self._has_answered |= bool(answer.text)
        self._blocked_in_a_row = 0

    def pass_over_blocked(self, error: EvaluationError, *, goes_on: bool) -> None:
        """Note an error that may be about this question alone; `goes_on` is false once the run was stopped.

        Raises:
            Blocked: the address has answered others, and not just blocked two others.
        """
        if not (isinstance(error, EndpointStop) and error.may_be_one and self._has_answered):
            return
        self._blocked_in_a_row += 1
        if self._blocked_in_a_row < BLOCKED_IN_A_ROW and goes_on:
            self.outage.note_reply()
            raise Blocked(f"{error}; others were answered, and the next run asks this one again") from None

    def note_error(self, error: EvaluationError, sent_at: float, *, is_proven: bool) -> EndpointStop | UserMistake | None:
        """Note what the error says about the address; return the error that ends the asking there, if one does.

        Args:
            error: what came of a request.
            sent_at: when it was sent.
            is_proven: whether the model has answered such requests before.
        """
        self.traffic.failures += isinstance(error, EndpointFailure | EndpointStop)
        if isinstance(error, RateLimited):
            self._follow_rate(error, sent_at)
            return self.outage.note_put_off(error)
        if isinstance(error, NoCompletion) and (mistake := self._note_no_completion(error, is_proven=is_proven)):
            return mistake
        if isinstance(error, EndpointFailure):
            return self.outage.note_failure(error)
        self.outage.note_reply()
        if isinstance(error, EndpointStop) and not is_proven:
            return UserMistake(f"{error} (nothing was answered before at {self.endpoint.shown_url})")
        return error if isinstance(error, EndpointStop) else None

    def _note_no_completion(self, error: NoCompletion, *, is_proven: bool) -> UserMistake | None:
        """Return the error as the user's mistake if the address has sent nothing else yet."""
        self._no_completions += 1
        if is_proven or not (error.is_foreign or self._no_completions == FIRST_REPLIES):
            return None
        url, origin = self.endpoint.shown_url, self.endpoint.origin
        return UserMistake(
            f"{error} (nothing was answered before at {url}); no {WORDS[self.endpoint.api]} API answers there: "
            f"fix the address in {origin}, as http://HOST:PORT/v1"
        )

    def _follow_rate(self, limit: RateLimited, sent_at: float) -> None:
        if not self.rate.is_limited:
            self._notify(f"{limit}: from now on the rate follows what the {self.endpoint.role} lets through")
        self.rate.note_rate_limited(time.monotonic(), sent_at, limit.retry_after_seconds)
