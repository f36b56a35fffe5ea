"""The budget of a run: a request is sent once the most that it may take is set aside.

What is in flight counts with the most that it may take, so that the caps hold however many requests there are at once; when a
reply comes, what it has taken counts in place of that. While something is in flight, a request that finds no room waits, and
those that come later stand in line behind it, so that a grade is not kept waiting by answers. The budget is reached when
nothing is in flight, in none of the runs that spend from it in this process, and there is still no room.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.errors import BudgetReached, EvaluationError
from tasks.evaluation.spending.amounts import LEAST_DOLLARS, Caps, Spending
from tasks.evaluation.spending.evaluation_spending import EvaluationSpending

NOTHING = Spending()
# What the message of a budget's end begins with, and what it advises.
REACHED, RAISE = "the budget is reached", "; raise "
# How long to wait before the next look at what others, on event loops of their own, have given back.
LOOK_SECONDS = 0.05


@dataclass
class Receipt:
    """What one request has taken; nothing as long as no reply says anything."""

    spent: Spending = NOTHING
    """What it has taken."""


class Purse(Protocol):
    """What several runs may spend together."""

    counts: str
    """What counts against the caps, as a message says it."""

    def claim(self, claimed: Spending) -> bool:
        """Claim this amount in all for this run; return False if the others leave too little."""

    def give_back(self, claimed: Spending, *, spent: Spending, held: Spending) -> Spending:
        """Give back what is claimed and neither spent nor held, where that is cheap; return what stays claimed."""

    def may_refill(self, claimed: Spending) -> bool:
        """Return True if this amount could be claimed once others in this process have given back what they do not spend."""

    def settle(self, spent: Spending) -> None:
        """Give back what was claimed and not spent."""

    def add_others(self, spent: Spending) -> Spending:
        """Return what this run has spent together with all that counts besides."""


class OwnPurse:
    """What one run may spend alone.

    Args:
        caps: the most that may be spent.
        before: what has been spent before.
    """

    counts = "spent"

    def __init__(self, caps: Caps, before: Spending) -> None:
        self._caps, self._before = caps, before

    def claim(self, claimed: Spending) -> bool:
        """Return True if this amount may be spent."""
        return self._caps.allow(self._before.plus(claimed))

    def give_back(self, claimed: Spending, *, spent: Spending, held: Spending) -> Spending:  # noqa: ARG002 - as for `settle`
        """Give nothing back: nobody else could spend it."""
        return claimed

    def may_refill(self, claimed: Spending) -> bool:  # noqa: ARG002 - there are no others
        """Return False: there are no others."""
        return False

    def settle(self, spent: Spending) -> None:
        """Give nothing back: nobody else could spend it."""

    def add_others(self, spent: Spending) -> Spending:
        """Return what was spent before and in this run."""
        return self._before.plus(spent)


class Budget:
    """Decides whether a request may be sent. To be used on one event loop only, but for `find_overtime`.

    `cause` is why nothing more may be sent; None while something may.

    Args:
        settings: the caps.
        purse: what is left in it may be spent.
        evaluation: counts what the evaluation has spent, also when this run is killed.
        now: returns the time in seconds.
        began: the time from which the seconds are counted; None: now.
        on_end: called with the cause when nothing more may be sent.
    """

    def __init__(
        self,
        settings: BudgetSettings,
        purse: Purse,
        evaluation: EvaluationSpending,
        now: Callable[[], float] = time.monotonic,
        *,
        began: float | None = None,
        on_end: Callable[[EvaluationError], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        self._caps = Caps(settings)
        self.cause: EvaluationError | None = None
        self._purse = purse
        self._evaluation = evaluation
        self._now, self._began = now, now() if began is None else began
        self._on_end = on_end
        self._whole = self._spent = self._held = self._claimed = NOTHING
        self._in_flight, self._is_alone = 0, False
        self._on_idle: Callable[[], object] | None = None
        self._line, self._change = asyncio.Lock(), asyncio.Event()

    @property
    def spent(self) -> Spending:
        """Return what counts against the caps: what was spent before, by others, and in this run."""
        return self._purse.add_others(self._spent)

    @property
    def unrecorded(self) -> str:
        """Return how much of it no answer accounts for, as a phrase; empty for nothing, and if others spend from it too."""
        return "" if self.settings.per else self._caps.describe_unrecorded(self._evaluation.unrecorded)

    @asynccontextmanager
    async def hold(self, most: Spending | None) -> AsyncIterator[Receipt]:
        """Set aside what a request may take, as soon as there is room, until it has ended.

        Args:
            most: the most that it may take; None if that is not known, so that it is sent alone.

        Raises:
            BudgetReached: there will be no room any more.
        """
        limited = most and self._caps.select(most)
        aside, receipt = limited or NOTHING, Receipt()
        async with self._line:
            await self._wait_for_room(limited)
            self._held, self._in_flight, self._is_alone = self._held.plus(aside), self._in_flight + 1, limited is None
        try:
            yield receipt
        except asyncio.CancelledError:
            # The endpoint may charge for all of it.
            receipt.spent = receipt.spent if any(receipt.spent) else most or NOTHING
            raise
        finally:
            self._whole = self._whole.plus(receipt.spent)
            self._held, self._in_flight, self._is_alone = self._held.minus(aside), self._in_flight - 1, False
            self._spent = self._spent.plus(self._caps.select(receipt.spent))
            self._claimed = self._purse.give_back(self._claimed, spent=self._spent, held=self._held)
            self._change.set()
            if not self._in_flight and self._on_idle:
                self._on_idle()

    def call_when_idle(self, function: Callable[[], object]) -> None:
        """Call the function once nothing is in flight; to be used when nothing more is sent."""
        if self._in_flight:
            self._on_idle = function
        else:
            function()

    def refuse(self, cause: EvaluationError) -> None:
        """Let nothing more be sent, for this cause."""
        if self.cause is None:
            self.cause = cause
            self._on_end(cause)
        self._change.set()

    def find_overtime(self) -> BudgetReached | None:
        """Return the end of the budget if its time is over; may be called in any thread."""
        return find_overtime(self.settings, self._now() - self._began)

    def close(self, recorded: Spending | None) -> None:
        """Leave what was not spent to others, and keep what was spent and is in no result.

        Args:
            recorded: what the answers and grades have cost that are kept; None if some that came could not be.
        """
        self._purse.settle(self._spent)
        if recorded is not None:
            self._evaluation.settle(self._whole, recorded)

    async def _wait_for_room(self, most: Spending | None) -> None:
        while True:
            if overtime := self.find_overtime():
                self.refuse(overtime)
            if self.cause:
                raise self.cause
            if self._has_room(most):
                return
            waits_for_others = self._purse.may_refill(self._add_to_held(most))
            if not self._in_flight and not waits_for_others:
                self.refuse(self._describe_end(most))
            self._change.clear()
            if not self.cause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._change.wait(), LOOK_SECONDS if waits_for_others else None)

    def _has_room(self, most: Spending | None) -> bool:
        if self._is_alone or (most is None and self._in_flight):
            return False
        return self._claim(self._add_to_held(most))

    def _add_to_held(self, most: Spending | None) -> Spending:
        # For a request that may take any amount, something must be left.
        least = self._caps.select(Spending(1, LEAST_DOLLARS))
        return self._spent.plus(self._held).plus(most or least)

    def _claim(self, needed: Spending) -> bool:
        """Return True if this amount may be spent in all. A little more is claimed: a purse that others use is in a file."""
        if needed.tokens <= self._claimed.tokens and needed.dollars <= self._claimed.dollars:
            return True
        for claimed in (needed.plus(self._caps.one_percent), needed):
            if self._purse.claim(claimed):
                self._evaluation.cover(claimed, self._caps.one_percent)
                self._claimed = claimed
                return True
        return False

    def _describe_end(self, most: Spending | None) -> BudgetReached:
        unrecorded = f" ({self.unrecorded})" if self.unrecorded else ""
        spent = f"{self._caps.describe(self.spent)} {self._purse.counts}{unrecorded}"
        next_one = f", and the next request may take {self._caps.describe_amount(most)}" if most else ""
        return BudgetReached(f"{REACHED}: {spent}{next_one}{RAISE}{self._caps.flags}")


def find_overtime(settings: BudgetSettings, elapsed_seconds: float) -> BudgetReached | None:
    """Return the end of a budget whose time is over; None if it is not."""
    if settings.seconds is None or elapsed_seconds < settings.seconds:
        return None
    return BudgetReached(f"the {settings.seconds:,.0f} seconds that --max-seconds gives each run are over")
