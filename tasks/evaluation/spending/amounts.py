"""What was spent, or may be: tokens and dollars together."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.spending.costs import format_dollars

# Less than any request costs.
LEAST_DOLLARS = 1e-9


class Spending(NamedTuple):
    """Tokens and US dollars."""

    tokens: int = 0
    """Tokens of prompts and replies."""

    dollars: float = 0.0
    """What they cost."""

    def plus(self, other: "Spending") -> "Spending":
        """Return both together."""
        return Spending(self.tokens + other.tokens, self.dollars + other.dollars)

    def minus(self, other: "Spending") -> "Spending":
        """Return what is left without the other."""
        return Spending(self.tokens - other.tokens, self.dollars - other.dollars)

    def at_least(self, other: "Spending") -> "Spending":
        """Return the greater amount of each."""
        return Spending(max(self.tokens, other.tokens), max(self.dollars, other.dollars))


def add_up(amounts: Iterable[Spending]) -> Spending:
    """Return all of these together."""
    return reduce(Spending.plus, amounts, Spending())


@dataclass(frozen=True)
class Caps:
    """The most that may be spent."""

    settings: BudgetSettings
    """The budget's settings."""

    def allow(self, spending: Spending) -> bool:
        """Return True if no more than that was spent."""
        tokens, cost = self.settings.tokens, self.settings.cost
        return (tokens is None or spending.tokens <= tokens) and (cost is None or spending.dollars <= cost)

    def describe(self, spent: Spending) -> str:
        """Return how much of each cap is spent."""
        tokens, cost = self.settings.tokens, self.settings.cost
        parts = [] if cost is None else [f"{format_dollars(spent.dollars)} of {format_dollars(cost)}"]
        parts += [] if tokens is None else [f"{spent.tokens:,} of {tokens:,} tokens"]
        return " and ".join(parts)

    def describe_amount(self, spending: Spending) -> str:
        """Return an amount in the units of the caps."""
        parts = [] if self.settings.cost is None else [format_dollars(spending.dollars)]
        parts += [] if self.settings.tokens is None else [f"{spending.tokens:,} tokens"]
        return " and ".join(parts)

    def describe_unrecorded(self, spending: Spending) -> str:
        """Return how much was spent that no answer accounts for, as a phrase; empty for nothing."""
        limited = self.select(spending)
        if not limited.tokens and limited.dollars < LEAST_DOLLARS:
            return ""
        amount = self.describe_amount(limited)
        return f"including up to {amount} that no answer accounts for, such as requests in flight when a run was killed"

    def foresee(self, spent: Spending, unrecorded: str, low: Spending, high: Spending) -> list[str]:
        """Return how much is spent, and whether the caps will do, a line each.

        Args:
            spent: what is spent already.
            unrecorded: how much of it no answer accounts for, as a phrase.
            low: the least that is likely to be spent besides.
            high: the most.
        """
        lines = [f"💰 Budget: {self.describe(spent)} spent" + (f", {unrecorded}" if unrecorded else "")]
        if not self.allow(spent.plus(low)):
            return [*lines, "⚠️ By this estimate the budget ends before all questions are answered"]
        if not self.allow(spent.plus(high)):
            return [*lines, "⚠️ By this estimate the budget may end before all questions are answered"]
        return lines

    def select(self, spending: Spending) -> Spending:
        """Return what of it is limited."""
        tokens = 0 if self.settings.tokens is None else spending.tokens
        return Spending(tokens, 0.0 if self.settings.cost is None else spending.dollars)

    @property
    def one_percent(self) -> Spending:
        """Return a hundredth of the caps."""
        return Spending((self.settings.tokens or 0) // 100, (self.settings.cost or 0.0) / 100)

    @property
    def flags(self) -> str:
        """Return the names of the flags that set them."""
        named = {"--max-cost": self.settings.cost, "--max-tokens-total": self.settings.tokens}
        return " or ".join(flag for flag, cap in named.items() if cap is not None)
