"""Several addresses of one model: which of them gets the next request, and which are left alone for a while.

| an address | gets |
|---|---|
| that answers | requests, as long as it has the fewest in flight for its weight |
| that has as many requests as it may have, or must not be asked yet for its rate | nothing at this moment |
| that is out, or has not been looked at yet | a look: the list of its models, then one question; again after `probe_seconds` |
| that was lost: it does not accept the key, does not know the model, declines what others answer | a look after 30 seconds |

While none answers, all of them are looked at in turn.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.asking import Asking
from tasks.evaluation.endpoints.listed_models import ListedModel, find_other_model
from tasks.evaluation.endpoints.member import Member
from tasks.evaluation.endpoints.outage import Waiting
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.errors import AddressLost, EndpointFailure, EndpointStop, EvaluationError, UserMistake

# Sends a question to an address.
Send = Callable[[Address, Asking, Member], Awaitable[Answer]]
# One question may be declined at one address for a reason of its own; this many that others answer are not.
CONTRADICTIONS = 3


class Fleet:
    """The addresses of one model. To be used on one event loop only.

    `listed` are the models that the first address lists, as far as that is known: the others must serve the same.

    Args:
        addresses: the addresses.
        patience: how long to wait before a look.
        notify: takes what the user should know.
        most_each: the most requests in flight at each address; None: as many as there are.
    """

    def __init__(
        self, addresses: Sequence[Address], patience: Patience, notify: Callable[[str], None], most_each: int | None
    ) -> None:
        self.members = [Member(address) for address in addresses]
        self._patience = patience
        self._notify = notify
        self._most_each = most_each
        self._turns = 0
        self._queue = asyncio.Lock()
        self._changed = asyncio.Event()
        self._cause: EvaluationError | None = None
        self.listed: list[ListedModel] = []

    @property
    def waiting(self) -> Waiting | None:
        """Return the shortest wait for an address if all that are left are waited for; may be read in any thread."""
        waits = [each.address.outage.waiting for each in self.members if each.lost is None]
        waited_for = [each for each in waits if each]
        return min(waited_for, key=lambda each: each.seconds) if waits and len(waited_for) == len(waits) else None

    def end(self, cause: EvaluationError) -> None:
        """Let nobody wait any longer: every request ends with the cause."""
        self._cause = self._cause or cause
        self._changed.set()

    def has_other(self, tried: Collection[Member]) -> bool:
        """Return True if there is an address that answers and is not among these."""
        return any(not each.is_out and each not in tried for each in self.members)

    async def attempt(self, asking: Asking, send: Send) -> Answer:
        """Return what the address answers whose turn it is; a question that was declined goes to another one.

        Raises:
            EvaluationError: as `send` does; why it was declined, if no other answers; the cause for which the asking was ended.
        """
        member = await (self._take_other(asking) if asking.declined else self._take(asking.tried))
        is_look = member.is_out
        try:
            answer = await send(member.address, asking, member)
        except EvaluationError:
            asking.tried.append(member)
            raise
        finally:
            self._give_back(member, is_look=is_look)
        self._note_answer(member, asking.declined_by if answer.text else None)
        if not answer.text:
            asking.tried.append(member)
        return answer

    def pass_over(self, member: Member, stop: EndpointStop | UserMistake, error: EvaluationError) -> EndpointStop | UserMistake:
        """Go on without an address at which nothing more can be asked for now, or return what ends the run if no other is left.

        Args:
            member: the address.
            stop: what would end the run if it had this address alone.
            error: what came of the request.

        Raises:
            AddressLost: the request is to be sent to another.
            EndpointFailure: the same, of a request that counts as failed.
        """
        if stop is error or isinstance(stop, UserMistake):
            self._lose(member, stop)
        if not all(each.is_given_up for each in self.members):
            raise (error if isinstance(error, EndpointFailure) and not member.lost else AddressLost(str(stop))) from None
        words = f"{stop} (and none of the {len(self.members)} addresses is left)"
        return UserMistake(words) if isinstance(stop, UserMistake) else EndpointStop(words)

    def leave_alone(self, member: Member, cause: EvaluationError) -> None:
        """Leave an address alone that could not be asked before the first question."""
        if isinstance(cause, EndpointFailure):
            member.address.outage.begin(cause)
        else:
            member.lost = cause
        member.look_at = time.monotonic() + self._patience.probe_seconds

    def _lose(self, member: Member, cause: EvaluationError) -> None:
        if member.lost is None:
            self._notify(f"⚠️ {member.shown_url} is left alone, the other addresses take its share: {cause}")
        member.lost = cause
        member.look_at = time.monotonic() + self._patience.look_again_seconds

    async def look(self, member: Member) -> None:
        """Find out at little cost whether an address that was out may be asked a question.

        Raises:
            EndpointFailure: it cannot be reached.
            EndpointStop: it does not accept the key, or serves another model.
        """
        endpoint = member.address.endpoint
        try:
            models = await member.address.transport.list_models(self._patience.list_seconds)
        except TimeoutError:
            if self.has_other([member]):
                raise EndpointFailure(f"the {endpoint.role} did not list its models in time") from None
            return
        if other := find_other_model(endpoint.model, models, self.listed):
            raise EndpointStop(f"the {endpoint.role} serves {other}, not {endpoint.model!r}")

    async def _take(self, tried: Collection[Member]) -> Member:
        """Return the address for the next request, once one may be asked; if possible, none of those that were tried."""
        if not self._queue.locked() and (member := self._choose(tried)):
            return self._occupy(member)
        async with self._queue:  # those that wait are served in their order
            while (member := self._choose(tried)) is None:
                await self._wait()
            return self._occupy(member)

    async def _take_other(self, asking: Asking) -> Member:
        """Return an address that has not declined the question; one that is limited, or has failed it once, is waited for.

        Raises:
            Declined: no other address answers; it is why the question was declined before.
        """
        assert asking.declined_by
        while any(not each.is_out and not each.is_given_up for each in self.members if each is not asking.declined_by):
            ready = [each for each in self._list_ready(time.monotonic()) if each is not asking.declined_by]
            if ready:
                return self._occupy(self._find_least_busy(ready))
            await self._wait()
        assert asking.declined
        raise asking.declined

    def _give_back(self, member: Member, *, is_look: bool) -> None:
        """Note that a request has ended, whatever came of it; `is_look` if the address was out when it was taken."""
        member.in_flight -= 1
        member.is_looked_at &= not is_look
        if member.is_out:
            pause_seconds = self._patience.look_again_seconds if member.lost else self._patience.probe_seconds
            member.look_at = time.monotonic() + pause_seconds
        self._changed.set()

    def _note_answer(self, member: Member, declined_by: Member | None) -> None:
        """Note that an address has answered, maybe what another one has declined."""
        member.contradictions = 0
        if member.lost:
            member.lost = None
            self._notify(f"The {member.address.endpoint.role} at {member.shown_url} answers again")
        if declined_by:
            declined_by.contradictions += 1
            if declined_by.contradictions == CONTRADICTIONS:
                self._lose(declined_by, EndpointStop("it declines what the other addresses answer"))

    def _choose(self, tried: Collection[Member]) -> Member | None:
        """Return the address that may be asked at once; None if none may. A question that has failed makes no look in vain."""
        if self._cause:
            raise self._cause
        now = time.monotonic()
        ready = self._list_ready(now)
        if tried:
            ready = [each for each in ready if each not in tried] or ready
        if not (tried and ready):
            due = [each for each in self.members if each.is_out and not each.is_looked_at and each.look_at <= now]
            if due:
                return min(due, key=lambda each: each.look_at)
        return self._find_least_busy(ready) if ready else None

    def _list_ready(self, now: float) -> list[Member]:
        most = self._most_each
        return [
            each
            for each in self.members
            if (most is None or each.in_flight < most)
            and not each.is_out
            and (not each.address.rate.is_limited or each.address.rate.seconds_until_turn(now) <= 0)
        ]

    def _find_least_busy(self, members: Sequence[Member]) -> Member:
        return min(members, key=lambda each: ((each.in_flight + 1) / each.weight, each.turn))

    def _occupy(self, member: Member) -> Member:
        member.in_flight += 1
        self._turns += 1
        member.turn = self._turns
        if member.is_out:
            member.is_looked_at = True
        else:
            member.address.rate.take_turn(time.monotonic())
        return member

    async def _wait(self) -> None:
        """Wait until an address may be asked that may not be asked now."""
        if self._cause:
            raise self._cause
        now = time.monotonic()
        looks = [each.look_at - now for each in self.members if each.is_out and not each.is_looked_at]
        turns = [each.address.rate.seconds_until_turn(now) for each in self.members if not each.is_out]
        seconds = min((each for each in (*looks, *turns) if each > 0), default=None)
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
