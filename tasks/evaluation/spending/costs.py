"""Costs added up: those that a run has paid, and those behind its results. What is unknown is counted apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import ROLES, Role

UNKNOWN_COST = "unknown"
# In the table: nothing was asked, so there is nothing to know.
NOTHING = -1.0


@dataclass(frozen=True)
class CostSum:
    """Costs added up."""

    dollars: float = 0.0
    """US dollars of all replies, or questions, whose cost is known."""

    known: int = 0
    """How many these are."""

    unknown: int = 0
    """How many there are besides."""

    @classmethod
    def read(cls, cost: float | None) -> "CostSum":
        """Return the cost of one reply; None: unknown."""
        return cls(unknown=1) if cost is None else cls(cost, known=1)

    def __add__(self, other: "CostSum") -> "CostSum":
        return CostSum(self.dollars + other.dollars, self.known + other.known, self.unknown + other.unknown)

    def __str__(self) -> str:
        if not self.known:
            return UNKNOWN_COST if self.unknown else format_dollars(0)
        replies, have = ("reply", "has") if self.unknown == 1 else ("replies", "have")
        rest = f", and what {self.unknown:,} {replies} without a known price {have} cost" if self.unknown else ""
        return format_dollars(self.dollars) + rest

    @property
    def total(self) -> float | None:
        """Return the dollars; None if not all of them are known."""
        return None if self.unknown else self.dollars


CostSums = Mapping[Role, CostSum]


class CostTable:
    """Keeps what each question has cost according to its result, by position. Memory: 16 bytes a question.

    Args:
        positions: how many there are.
        pricing: what the replies of those cost that are asked.
    """

    def __init__(self, positions: int, pricing: Mapping[Role, Pricing]) -> None:
        self._pricing = pricing
        self._costs = np.full((positions, len(ROLES)), NOTHING, dtype=np.float64)

    def note(self, position: int, result: Mapping[str, object]) -> None:
        """Take the cost of the question's result in place of an earlier one."""
        given = result.get("usage")
        usage = given if isinstance(given, dict) else {}
        for column, role in enumerate(ROLES):
            self._costs[position, column] = self._find(role, usage.get(role), is_scored=not result.get("skipped"))

    def add_up(self, positions: Sequence[int]) -> dict[Role, CostSum]:
        """Return the sums over the questions at these positions, for each model that is asked."""
        chosen = self._costs[np.asarray(positions, dtype=np.int64)]
        return {role: _add_up(chosen[:, column]) for column, role in enumerate(ROLES) if role in self._pricing}

    def list_known(self, role: Role, positions: Sequence[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Return what one model has cost for each of these questions for which that is known."""
        costs = self._costs[np.asarray(positions, dtype=np.int64), ROLES.index(role)]
        known: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = costs[costs >= 0]
        return known

    def _find(self, role: Role, usage: object, *, is_scored: bool) -> float:
        """Return what one model has cost; NaN if nobody knows."""
        if role not in self._pricing or not (usage or is_scored):
            return NOTHING
        cost = self._pricing[role].find_cost(usage)
        return math.nan if cost is None else cost


def add_up_roles(sums: CostSums) -> CostSum:
    """Return what all models together have cost."""
    return sum(sums.values(), CostSum())


def format_dollars(dollars: float) -> str:
    """Return the amount as people read it: cents, or the first two digits of what is less than ten of them."""
    if not dollars or dollars >= 0.1:
        return f"${dollars:,.2f}"
    return f"${dollars:.{min(1 - int(np.floor(np.log10(dollars))), 12)}f}"


def _add_up(costs: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> CostSum:
    unknown = int(np.isnan(costs).sum())
    known = costs[costs >= 0]
    return CostSum(float(known.sum()), len(known), unknown)
