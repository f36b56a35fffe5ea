"""One budget for several evaluations that run beside each other, as the cells of a suite do in one process."""

import threading
import time
from collections.abc import Callable

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.errors import BudgetReached, EvaluationError
from tasks.evaluation.spending.amounts import Caps, Spending, add_up
from tasks.evaluation.spending.budget import Budget, find_overtime
from tasks.evaluation.spending.evaluation_spending import EvaluationSpending


class CommonBudget:
    """What several evaluations may spend together. It may be used in any thread.

    `cause` is why one of them may send nothing more; None while all may.

    Args:
        settings: the caps.
        before: what has been spent before.
        now: returns the time in seconds.
    """

    def __init__(self, settings: BudgetSettings, before: Spending, now: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self.cause: EvaluationError | None = None
        self.lock = threading.Lock()
        self.shares: list[_Share] = []
        self.caps, self.before = Caps(settings), before
        self._now, self._began = now, now()

    def open(self, evaluation: EvaluationSpending) -> Budget:
        """Return the budget of one evaluation, which leaves the others what it has not claimed."""
        return Budget(self.settings, _Share(self), evaluation, self._now, began=self._began, on_end=self.end)

    def add_up(self) -> Spending:
        """Return what is spent or claimed by all; to be called under the lock."""
        return add_up([self.before, *(share.claimed for share in self.shares)])

    def find_overtime(self) -> BudgetReached | None:
        """Return the end of the budget if its time is over."""
        return find_overtime(self.settings, self._now() - self._began)

    def end(self, cause: EvaluationError) -> None:
        """Note why nothing more may be sent, unless that is known."""
        self.cause = self.cause or cause


class _Share:
    """What one evaluation has claimed of a common budget."""

    counts = "spent"

    def __init__(self, common: CommonBudget) -> None:
        self.claimed = self.spent = Spending()
        self._common = common
        with common.lock:
            common.shares.append(self)

    def claim(self, claimed: Spending) -> bool:
        """Claim this amount in all; return False if the others leave too little."""
        with self._common.lock:
            if not self._common.caps.allow(self._common.add_up().minus(self.claimed).plus(claimed)):
                return False
            self.claimed = claimed
        return True

    def give_back(self, claimed: Spending, *, spent: Spending, held: Spending) -> Spending:  # noqa: ARG002 - a purse's
        """Give back what is claimed and neither spent nor held; return what stays claimed."""
        with self._common.lock:
            self.claimed, self.spent = spent.plus(held), spent
            return self.claimed

    def may_refill(self, claimed: Spending) -> bool:
        """Return True if this amount in all could be claimed once the others have given back what they do not spend."""
        with self._common.lock:
            others = (share.spent for share in self._common.shares if share is not self)
            return self._common.caps.allow(add_up([self._common.before, *others, claimed]))

    def settle(self, spent: Spending) -> None:
        """Give back what was claimed and not spent."""
        with self._common.lock:
            self.claimed = self.spent = spent

    def add_others(self, spent: Spending) -> Spending:
        """Return what has been spent together with what the others have claimed."""
        with self._common.lock:
            return self._common.add_up().minus(self.claimed).plus(spent)
