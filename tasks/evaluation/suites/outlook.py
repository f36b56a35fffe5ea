"""Whether a suite's budget will last, by what its cells will cost."""

from collections.abc import Sequence

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.spending.amounts import Caps, Spending, add_up
from tasks.evaluation.suites.plan import CellPlan


def describe_budget(settings: BudgetSettings, plans: Sequence[CellPlan]) -> list[str]:
    """Return how much of the budget is spent, and whether it will last, a line each; nothing without caps on spending."""
    if not settings.limits_spending or all(plan.results for plan in plans):
        return []
    tokens = sum(each.total for plan in plans for each in plan.tokens.values() if each)
    costs = [cost for plan in plans for cost in plan.costs.values()]
    low, high = sum(cost.low for cost in costs), sum(cost.high for cost in costs)
    caps, spent = Caps(settings), add_up(plan.spent for plan in plans)
    unrecorded = caps.describe_unrecorded(add_up(plan.unrecorded for plan in plans))
    return caps.foresee(spent, unrecorded, Spending(tokens, low), Spending(tokens, high))
