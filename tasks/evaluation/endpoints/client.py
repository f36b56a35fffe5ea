"""A client that asks a model until it has answered: in turn, again after a failure, and rarely during an outage.

Each request is sent in `sender`. What a failed one means is decided in `failures`, what a reply says in `responses`, when the
next may be sent in `rate_limit`, what happens while nothing gets through in `outage`, and which of several addresses is asked
in `fleet`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.asking import Asking
from tasks.evaluation.endpoints.bill import Bill
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.first_answers import FirstAnswers
from tasks.evaluation.endpoints.fleet import Fleet
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.outage import Waiting
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.sender import Sender
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import (
    AddressLost,
    Blocked,
    Declined,
    EndpointFailure,
    EvaluationError,
    KeyRenewed,
    RateLimited,
    Refused,
)
from tasks.evaluation.spending.budget import Budget

# At temperature 0 an empty answer comes again and again.
EMPTY_REPLIES = 3
# More of them would push the rest off the screen.
SHOWN_REFUSALS = 3

# Asks a model until it has answered, as `Client.ask` does.
Ask = Callable[[list[Message]], Awaitable[Answer]]


class Client:
    """Asks one model, at one of its `addresses` at a time. To be used on one event loop only.

    `bill` adds up what all its replies have cost. `fleet` chooses from the addresses; None where there is one.

    Args:
        endpoint: what is asked.
        patience: how long to wait for it.
        is_proven: whether it has answered such requests before.
        slots: limits the questions in flight; a question gives up its slot while it waits to be asked again.
        notify: takes what the user should know.
        most_each: the most requests in flight at each of several addresses; None: as many as there are.
        budget: what may be spent; None: anything.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        patience: Patience,
        *,
        is_proven: bool,
        slots: Slots,
        notify: Callable[[str], None],
        most_each: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.endpoint, self.patience = endpoint, patience
        self.bill = Bill(endpoint, budget)
        self._slots, self._notify = slots, notify
        self._first_answers = FirstAnswers(endpoint, is_proven=is_proven, notify=notify)
        self._first_alone = asyncio.Lock()
        self._refused = 0
        if endpoint.may_have_others:
            self.fleet: Fleet | None = Fleet(endpoint, patience, is_proven=is_proven, notify=notify, most_each=most_each)
        else:
            self.fleet, self._only = None, Address(endpoint, patience, notify)
        self._sender = Sender(self.bill, self._first_answers, self.fleet)

    @property
    def addresses(self) -> list[Address]:
        """Return the addresses at which it asks."""
        return [member.address for member in self.fleet.members] if self.fleet else [self._only]

    @property
    def is_proven(self) -> bool:
        """Return True if the model has answered such requests, in this run or before."""
        return self._first_answers.is_proven

    @property
    def waiting(self) -> Waiting | None:
        """Return the wait for the endpoint, if it is waited for; may be read in any thread."""
        return self.fleet.waiting if self.fleet else self._only.outage.waiting

    async def ask(self, messages: list[Message], *, can_shorten: bool = False) -> Answer:
        """Return the model's reply to the messages.

        Args:
            messages: the request's.
            can_shorten: whether the caller asks again with fewer words if they are too long for the model.

        Raises:
            EndpointFailure: no attempt brought one, though other requests got through.
            Refused: the endpoint declined this request, or answered with nothing three times.
            EndpointStop: it will decline every request until something is fixed, or nothing got through for too long.
            UserMistake: it declines the requests of a run that has had no answer from it yet, or is no such endpoint.
            EvaluationError: the cause for which the client was stopped.
        """
        asking = Asking(messages)
        try:
            while (answer := await self._ask_again(asking)) is None:
                pass
        except Refused as refused:
            if not (can_shorten and isinstance(refused, Declined) and refused.is_too_long):
                self._show_refusal(refused)
            raise
        return answer

    def stop(self, cause: EvaluationError) -> None:
        """Send nothing more; requests that wait to be sent end with the cause."""
        self._sender.stop(cause)

    async def close(self) -> None:
        """Close the connections."""
        await (self.fleet or self._only).close()

    async def _ask_again(self, asking: Asking) -> Answer | None:
        """Make one attempt; return the reply, or None if another attempt is due. Raises as `ask` does."""
        try:
            return self._take_answer(asking, await self._ask_in_turn(asking))
        except (RateLimited, KeyRenewed, AddressLost):
            pass
        except Declined as declined:
            await self._take_declined(asking, declined)
        except Blocked:
            if not self._has_untried(asking):
                raise
        except EndpointFailure as failure:
            await self._pause_after(asking, failure)
        return None

    def _take_answer(self, asking: Asking, answer: Answer) -> Answer | None:
        """Return the reply; None if it is empty, though another may not be."""
        taken = asking.take(answer)
        if taken is None and len(asking.empty) == EMPTY_REPLIES:
            error = self._first_answers.refuse_empty(asking.empty, asking.usage)
            if not isinstance(error, Refused):
                self.stop(error)
            raise error
        return taken

    async def _take_declined(self, asking: Asking, declined: Declined) -> None:
        """Return if the question is to be asked at another address, or, before the first answer, once more."""
        if self.fleet and self.fleet.turns.has_other(asking):
            return
        if self.is_proven or declined.is_about_content:
            raise declined
        asking.forget_declined()
        await self._step_aside(asyncio.sleep(0.0))

    async def _pause_after(self, asking: Asking, failure: EndpointFailure) -> None:
        """Wait before the question is asked again; at another address it may be at once.

        Raises:
            EndpointFailure: it was asked often enough.
        """
        is_out = asking.tried[-1].is_out if self.fleet else self._only.outage.goes_on
        asking.failures += not is_out
        # Of several addresses each may fail it once before it counts as if there were one.
        failures = asking.failures - len(self.addresses) + 1
        if failures >= self.patience.attempts:
            raise failure
        if is_out or self._has_untried(asking):
            await self._step_aside(asyncio.sleep(0.0))
            return
        asking.tried.clear()
        pause_seconds = self.patience.choose_pause(max(failures, 1), failure.retry_after_seconds)
        await self._step_aside(asyncio.sleep(pause_seconds))

    def _has_untried(self, asking: Asking) -> bool:
        """Return True if there is an address that answers, and at which the question has not failed yet."""
        return self.fleet is not None and self.fleet.has_untried(asking.tried)

    async def _ask_in_turn(self, asking: Asking) -> Answer:
        """Make one attempt; until the first answer, one at a time, so that a wrong setting costs one request."""
        if self.fleet:
            return await self._ask_fleet(self.fleet, asking)
        while not self.is_proven:
            async with self._first_alone:
                if not self.is_proven:
                    return await self._ask_only_address(asking)
        return await self._ask_only_address(asking)

    async def _ask_only_address(self, asking: Asking) -> Answer:
        await self._only.wait_for_turn()
        return await self._sender.send(self._only, asking)

    async def _ask_fleet(self, fleet: Fleet, asking: Asking) -> Answer:
        """Make one attempt at one of several addresses; a declined question that waits for another leaves its slot."""
        while asking.declined and not fleet.turns.can_ask_other(asking):
            await self._step_aside(fleet.turns.wait())
        return await fleet.attempt(asking, self._sender.send)

    def _show_refusal(self, refused: Refused) -> None:
        """Show the words of the first few refusals; results and report list all of them."""
        self._refused += 1
        if self._refused <= SHOWN_REFUSALS:
            self._notify(f"⚠️ Not answered, and not counted: {refused}")

    async def _step_aside(self, wait: Awaitable[None]) -> None:
        """Wait, and let another question have the slot meanwhile."""
        self._slots.release()
        try:
            await wait
        finally:
            await self._slots.acquire()
