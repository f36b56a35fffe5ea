"""A client that asks an endpoint until it has answered: in turn, again after a failure, and rarely during an outage.

What a failed request means is decided in `failures`, what a reply says in `responses`, when the next request may be sent in
`rate_limit`, and what happens while nothing gets through in `outage`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tasks.evaluation.endpoints.advice import describe_reasoning
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.outage import Outage, Waiting
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.rate_limit import RateLimit
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.endpoints.tokens import TokenSum
from tasks.evaluation.endpoints.usage import Usage, add_usage
from tasks.evaluation.errors import (
    Blocked,
    Declined,
    EndpointFailure,
    EndpointStop,
    EvaluationError,
    KeyRenewed,
    NoCompletion,
    RateLimited,
    Refused,
    UnusableReply,
    UserMistake,
)

if TYPE_CHECKING:
    from tasks.evaluation.endpoints.renewal import RenewingTransport

# At temperature 0 an empty answer comes again and again.
EMPTY_REPLIES = 3
# One question may be declined for what it says; if this many are, before any is answered, the way of asking is wrong.
FIRST_QUESTIONS = 3
# One reply may be damaged on its way; if this many are, before any is usable, the address is wrong.
FIRST_REPLIES = 3
# More of them would push the rest off the screen.
SHOWN_REFUSALS = 3

# Asks a model until it has answered, as `Client.ask` does.
Ask = Callable[[list[Message]], Awaitable[Answer]]


class Client:
    """Asks one endpoint. To be used on one event loop only.

    `paid` adds up what all its replies have cost, as far as they say, whether they could be used or not. `is_proven` says
    whether it has answered such requests, in this run or before.

    Args:
        endpoint: what is asked.
        patience: how long to wait for it.
        is_proven: whether it has answered such requests before.
        slots: limits the questions in flight; a question gives up its slot while it waits to be asked again.
        notify: takes what the user should know.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        patience: Patience,
        *,
        is_proven: bool,
        slots: Slots,
        notify: Callable[[str], None],
    ) -> None:
        self.endpoint = endpoint
        self.patience = patience
        self.paid = TokenSum()
        self._transport: RenewingTransport | None = None
        self._slots = slots
        self._notify = notify
        self._outage = Outage(endpoint.role, patience, notify)
        self._rate = RateLimit()
        self._turns = asyncio.Lock()
        self.is_proven = is_proven
        self._first_alone = asyncio.Lock()
        self._has_answered = self._has_hinted = False
        self._declined = self._no_completions = self._only_reasoned = self._refused = self._blocked_in_a_row = 0
        self._final: EvaluationError | None = None

    @property
    def transport(self) -> "RenewingTransport":
        """Return what sends the requests; made for the first of them.

        Raises:
            UserMistake: the endpoint's address or key cannot be used.
        """
        if self._transport is None:
            # Imports the openai package, for which a run that finds everything answered should not wait.
            from tasks.evaluation.endpoints.renewal import RenewingTransport  # noqa: PLC0415

            self._transport = RenewingTransport(self.endpoint, self.patience, self._notify)
        return self._transport

    @property
    def waiting(self) -> Waiting | None:
        """Return the wait for the endpoint, if it is waited for; may be read in any thread."""
        return self._outage.waiting

    async def ask(self, messages: list[Message]) -> Answer:
        """Return the model's reply to the messages.

        Raises:
            EndpointFailure: no attempt brought one, though other requests got through.
            Refused: the endpoint declined this request, or answered with nothing three times.
            EndpointStop: it will decline every request until something is fixed, or nothing got through for too long.
            UserMistake: it declines the requests of a run that has had no answer from it yet, or is no such endpoint.
            EvaluationError: the cause for which the client was stopped.
        """
        try:
            return await self._ask_until_answered(messages)
        except Refused as refused:
            self._show_refusal(refused)
            raise

    async def _ask_until_answered(self, messages: list[Message]) -> Answer:
        """Return the reply; raises as `ask` does."""
        failures = 0
        empty: list[Answer] = []
        usage: Usage = {}
        while True:
            try:
                answer = await self._ask_in_turn(messages)
            except (RateLimited, KeyRenewed):
                continue
            except Declined as declined:
                if self.is_proven or declined.is_about_content:
                    raise
                await self._step_aside(0.0)
            except EndpointFailure as failure:
                failures += not self._outage.goes_on
                if failures == self.patience.attempts:
                    raise
                await self._step_aside(
                    0.0 if self._outage.goes_on else self.patience.choose_pause(failures, failure.retry_after_seconds)
                )
            else:
                usage = add_usage(usage, answer.usage) if empty else answer.usage
                if answer.text or answer.is_truncated:
                    return replace(answer, usage=usage) if empty else answer
                empty.append(answer)
                if len(empty) == EMPTY_REPLIES:
                    raise self._refuse_empty(empty, usage)

    def stop(self, cause: EvaluationError) -> None:
        """Send nothing more; requests that wait to be sent end with the cause."""
        self._final = self._final or cause

    async def close(self) -> None:
        """Close the connections."""
        if self._transport:
            await self._transport.close()

    async def _ask_in_turn(self, messages: list[Message]) -> Answer:
        """Make one attempt; until the first answer, one at a time, so that a wrong setting costs one request."""
        while not self.is_proven:
            async with self._first_alone:
                if not self.is_proven:
                    return await self._attempt(messages)
        return await self._attempt(messages)

    async def _attempt(self, messages: list[Message]) -> Answer:
        """Send one request once neither an outage nor the rate forbids it, and note its outcome for later requests."""
        await self._outage.wait_for_turn()
        await self._wait_for_rate()
        if self._final:
            raise self._final
        sent_at = time.monotonic()
        try:
            answer, headers = await self.transport.ask(messages)
        except EvaluationError as error:
            self._pass_over_blocked(error)
            stop = self._note_error(error, sent_at)
            # Outcomes of other requests that were still in flight do not undo a stop.
            self._final = self._final or stop
            if stop:
                raise stop from None
            raise
        self._outage.note_reply()
        cost = TokenSum.read(answer.usage)
        self.paid += cost
        self._rate.note_headers(headers, cost.total, now_seconds=time.time())
        self._note_answer(answer)
        return answer

    def _pass_over_blocked(self, error: EvaluationError) -> None:
        """Let the run go on if the endpoint may block this question alone.

        Raises:
            Blocked: it has answered others, and not just blocked two others.
        """
        if not (isinstance(error, EndpointStop) and error.may_be_one and self._has_answered):
            return
        self._blocked_in_a_row += 1
        if self._blocked_in_a_row < FIRST_QUESTIONS and self._final is None:
            self._outage.note_reply()
            raise Blocked(f"{error}; others were answered, and the next run asks this one again") from None

    def _note_answer(self, answer: Answer) -> None:
        """Note what the reply tells about the endpoint; raises as `_count_wordless` does."""
        self._has_answered |= bool(answer.text)
        self._blocked_in_a_row = 0
        # A reply without words shows that the request is accepted, but not that the settings let the model answer.
        has_said = bool(answer.text) or answer.token_logprobs is not None
        self.is_proven |= has_said
        if answer.only_reasons and not self._has_hinted:
            self._has_hinted = True
            self._notify(f"⚠️ {describe_reasoning(self.endpoint, answer)}")
        if answer.is_truncated and not has_said:
            self._count_wordless(answer)

    def _show_refusal(self, refused: Refused) -> None:
        """Show the words of the first few refusals; results and report list all of them."""
        self._refused += 1
        if self._refused <= SHOWN_REFUSALS:
            self._notify(f"⚠️ Not answered, and not counted: {refused}")

    def _count_wordless(self, answer: Answer) -> None:
        """Note an answer that was cut before its first word.

        Raises:
            UserMistake: nothing else has come so far, so that the settings leave the model no room.
        """
        self._only_reasoned += 1
        if not self.is_proven and self._only_reasoned == FIRST_QUESTIONS:
            self._final = self._final or self._describe_wordless(answer)
            raise self._final

    def _describe_wordless(self, answer: Answer) -> EndpointStop | UserMistake:
        words = f"{describe_reasoning(self.endpoint, answer)} Nothing was answered before."
        return EndpointStop(words) if self.is_proven else UserMistake(words)

    def _refuse_empty(self, replies: list[Answer], usage: Usage) -> EvaluationError:
        """Return what ends a question whose replies were all empty: a refusal, or the cause that ends the run."""
        reasoned = next((reply for reply in replies if reply.only_reasons), None)
        if reasoned is None:
            return Refused(f"the {self.endpoint.role} answered with an empty message {len(replies)} times", usage)
        self._only_reasoned += 1
        if self._has_answered or self._only_reasoned < FIRST_QUESTIONS:
            return Refused(f"the {self.endpoint.role} wrote reasoning and no answer, {len(replies)} times", usage)
        self._final = self._final or self._describe_wordless(reasoned)
        return self._final

    def _note_error(self, error: EvaluationError, sent_at: float) -> EndpointStop | UserMistake | None:
        """Note what the error says about the endpoint; return the error that ends the run, if one does."""
        self.paid += TokenSum.read(error.usage if isinstance(error, Refused | UnusableReply) else None)
        if isinstance(error, RateLimited):
            self._follow_rate(error, sent_at)
            return self._outage.note_put_off(error)
        if isinstance(error, NoCompletion) and (mistake := self._note_no_completion(error)):
            return mistake
        if isinstance(error, EndpointFailure):
            return self._outage.note_failure(error)
        self._outage.note_reply()
        self._declined += isinstance(error, Declined) and not error.is_about_content
        if not self.is_proven and (isinstance(error, EndpointStop) or self._declined == FIRST_QUESTIONS):
            advice = f"\n{error.advice}" if isinstance(error, Declined) and error.advice else ""
            return UserMistake(f"{error} (nothing was answered before at {self.endpoint.shown_url}){advice}")
        return error if isinstance(error, EndpointStop) else None

    def _note_no_completion(self, error: NoCompletion) -> UserMistake | None:
        """Return the error as the user's mistake if the address has sent nothing else yet."""
        self._no_completions += 1
        if self.is_proven or not (error.is_foreign or self._no_completions == FIRST_REPLIES):
            return None
        url, origin = self.endpoint.shown_url, self.endpoint.origin
        return UserMistake(
            f"{error} (nothing was answered before at {url}); no chat completions API answers there: "
            f"fix the address in {origin}, as http://HOST:PORT/v1"
        )

    def _follow_rate(self, limit: RateLimited, sent_at: float) -> None:
        if not self._rate.is_limited:
            self._notify(f"{limit}: from now on the rate follows what the {self.endpoint.role} lets through")
        self._rate.note_rate_limited(time.monotonic(), sent_at, limit.retry_after_seconds)

    async def _wait_for_rate(self) -> None:
        """Return when the next request may be sent; those that wait are served in their order."""
        if not self._rate.is_limited:
            self._rate.take_turn(time.monotonic())
            return
        async with self._turns:
            # The time may have moved on while it was waited for, by another 429.
            while (seconds := self._rate.seconds_until_turn(time.monotonic())) > 0:  # noqa: ASYNC110
                await asyncio.sleep(seconds)
            self._rate.take_turn(time.monotonic())

    async def _step_aside(self, seconds: float) -> None:
        """Wait, and let another question have the slot meanwhile."""
        self._slots.release()
        try:
            await asyncio.sleep(seconds)
        finally:
            await self._slots.acquire()
