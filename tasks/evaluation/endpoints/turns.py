"""Which of several addresses of one model gets the next request.

An address that answers is ready, unless it has as many requests as it may have, or its rate forbids another one now. Where the
model has never answered, each address gets one request at a time until it has: so a wrong setting costs few requests, and an
address that hangs holds one worker.
"""

import asyncio
import time
from collections.abc import Collection, Iterable
from contextlib import suppress

from tasks.evaluation.endpoints.asking import Asking
from tasks.evaluation.endpoints.member import Member
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.errors import EvaluationError


class Turns:
    """Chooses from the addresses of one model. To be used on one event loop only.

    Args:
        members: the addresses.
        patience: how long to wait before a look.
        most_each: the most requests in flight at each address; None: as many as there are.
    """

    def __init__(self, members: list[Member], patience: Patience, most_each: int | None) -> None:
        self._members = members
        self._patience = patience
        self._most_each = most_each
        self._taken = 0
        self._queue = asyncio.Lock()
        self._changed = asyncio.Event()
        self._cause: EvaluationError | None = None

    def end(self, cause: EvaluationError) -> None:
        """End every request that waits, and those to come, with this cause."""
        self._cause = self._cause or cause
        self.note_change()

    def note_change(self) -> None:
        """Look again for whoever waits: the addresses have changed."""
        self._changed.set()

    async def take(self, tried: Collection[Member]) -> Member:
        """Return the address for the next request, once one may be asked; if possible, none of those that were tried.

        Raises:
            EvaluationError: the cause for which the asking was ended.
        """
        if not self._queue.locked() and (member := self._choose(tried)):
            return self._occupy(member)
        async with self._queue:  # those that wait are served in their order
            while (member := self._choose(tried)) is None:
                await self.wait()
            return self._occupy(member)

    def take_other(self, asking: Asking) -> Member:
        """Return the address for a question that others have declined, if `can_ask_other` has just said yes."""
        return self._occupy(self._find_others(asking)[0])

    def can_ask_other(self, asking: Asking) -> bool:
        """Return True if a question that some addresses have declined may be asked at another now, False if it has to wait.

        Raises:
            Declined: every address that is not given up has declined it.
            EvaluationError: the cause for which the asking was ended.
        """
        self._raise_cause()
        if asking.declined and not self.has_other(asking):
            raise asking.declined
        return bool(self._find_others(asking))

    def has_other(self, asking: Asking) -> bool:
        """Return True if an address that is not given up has not declined the question."""
        return any(not each.is_given_up and each not in asking.declined_by for each in self._members)

    def give_back(self, member: Member, *, is_look: bool) -> None:
        """Note that a request has ended, whatever came of it; `is_look` if the address was out when it was taken."""
        member.in_flight -= 1
        member.is_looked_at &= not is_look
        if member.is_out:
            pause_seconds = self._patience.look_again_seconds if member.lost else self._patience.probe_seconds
            member.look_at = time.monotonic() + pause_seconds
        self.note_change()

    async def wait(self) -> None:
        """Wait until an address may be asked that may not be asked now.

        Raises:
            EvaluationError: the cause for which the asking was ended.
        """
        self._raise_cause()
        now = time.monotonic()
        looks = [each.look_at - now for each in self._members if each.is_out and not each.is_looked_at]
        turns = [each.address.rate.seconds_until_turn(now) for each in self._members if not each.is_out]
        seconds = min((each for each in (*looks, *turns) if each > 0), default=None)
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def _raise_cause(self) -> None:
        if self._cause:
            raise self._cause

    def _choose(self, tried: Collection[Member]) -> Member | None:
        """Return the address that may be asked at once; None if none may. A question that has failed makes no look in vain."""
        self._raise_cause()
        now = time.monotonic()
        ready = self._list_ready(now)
        if tried:
            ready = [each for each in ready if each not in tried] or ready
        if not (tried and ready) and (due := self._list_due(now)):
            return due[0]
        return min(ready, key=_order_by_load, default=None)

    def _find_others(self, asking: Asking) -> list[Member]:
        """Return the addresses that may be asked now and have not declined the question, the best one first."""
        now = time.monotonic()
        listed = (*sorted(self._list_ready(now), key=_order_by_load), *self._list_due(now))
        return [each for each in listed if each not in asking.declined_by and not each.is_given_up]

    def _list_ready(self, now: float) -> list[Member]:
        return [each for each in self._members if not each.is_out and self._has_room(each) and _is_in_turn(each, now)]

    def _list_due(self, now: float) -> list[Member]:
        """Return the addresses that are to be looked at, the one that has waited longest first."""
        due: Iterable[Member] = (
            each for each in self._members if each.is_out and not each.is_looked_at and each.look_at <= now
        )
        return sorted(due, key=lambda each: each.look_at)

    def _has_room(self, member: Member) -> bool:
        most = self._most_each if member.is_proven else 1
        return most is None or member.in_flight < most

    def _occupy(self, member: Member) -> Member:
        member.in_flight += 1
        self._taken += 1
        member.turn = self._taken
        if member.is_out:
            member.is_looked_at = True
        else:
            member.address.rate.take_turn(time.monotonic())
        return member


def _is_in_turn(member: Member, now: float) -> bool:
    return not member.address.rate.is_limited or member.address.rate.seconds_until_turn(now) <= 0


def _order_by_load(member: Member) -> tuple[float, int]:
    """Return what puts the address with the fewest requests for its weight first, and the one that has rested longest."""
    return (member.in_flight + 1) / member.weight, member.turn
