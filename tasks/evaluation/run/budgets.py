"""Opens the budget of a run: its caps, and what counts against them from before."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonValue, from_line
from tasks.evaluation.reporting.estimate import CostEstimate, estimate_each
from tasks.evaluation.run.preparation import Preparation
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.spending.amounts import Caps, Spending, add_up
from tasks.evaluation.spending.budget import Budget, OwnPurse, Purse
from tasks.evaluation.spending.common_budget import CommonBudget
from tasks.evaluation.spending.costs import add_up_roles
from tasks.evaluation.spending.evaluation_spending import EvaluationSpending
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.shared_purse import SharedPurse, name_period
from tasks.evaluation.spending.tokens import ROLES, Role, TokenSum
from tasks.evaluation.storage.layout import OWN_FOLDER, SPENDING_FOLDER


def open_budget(preparation: Preparation, ledger: Ledger, common: CommonBudget | None = None) -> Budget | None:
    """Return what a run may spend; None if nothing is limited.

    Args:
        preparation: the run's.
        ledger: what is known before anything is asked.
        common: what it may spend together with others, in place of what its settings say.
    """
    settings = common.settings if common else preparation.config.budget
    if settings.seconds is None and not settings.limits_spending:
        return None
    evaluation = find_spending(preparation, ledger) if settings.limits_spending else EvaluationSpending(None, Spending())
    return common.open(evaluation) if common else Budget(settings, _open_purse(preparation, evaluation.before), evaluation)


def _open_purse(preparation: Preparation, before: Spending) -> Purse:
    settings, processing, folder = preparation.config.budget, preparation.config.processing, _find_folder(preparation)
    if processing.suite_purse:
        return SharedPurse(folder / processing.suite_purse, preparation.roster.evaluation_id, Caps(settings), before)
    if settings.per is None:
        return OwnPurse(Caps(settings), before)
    if not processing.enable_checkpointing:
        raise UserMistake(f"budget.per: {settings.per} counts in the checkpoint directory, and checkpointing is disabled")
    period = name_period(settings.per, datetime.now(UTC))
    return SharedPurse(folder / period, preparation.run_id, Caps(settings))


def describe_budget(
    budget: Budget | None, ledger: Ledger, costs: Mapping[Role, CostEstimate], *, has_grader: bool
) -> list[str]:
    """Return how much of the budget is spent, and whether it will last, a line each; nothing without caps on spending.

    Args:
        budget: the budget; None: nothing is limited.
        ledger: what is known before anything is asked.
        costs: what the rest will cost.
        has_grader: whether a model grades.
    """
    if budget is None or not budget.settings.limits_spending or not ledger.open_count:
        return []
    total = sum(each.total for each in estimate_each(ledger, has_grader=has_grader).values() if each)
    low, high = sum(each.low for each in costs.values()), sum(each.high for each in costs.values())
    caps = Caps(budget.settings)
    return caps.foresee(budget.spent, budget.unrecorded, Spending(total, low), Spending(total, high))


def find_spending(preparation: Preparation, ledger: Ledger) -> EvaluationSpending:
    """Return what the evaluation has cost, whichever run paid for it: its known answers and grades, and what is in none."""
    is_kept = preparation.config.processing.enable_checkpointing
    folder = _find_folder(preparation) / preparation.roster.evaluation_id if is_kept else None
    return EvaluationSpending(folder, find_recorded(preparation.pricing, ledger))


def find_largest(ledger: Ledger, role: Role) -> Spending | None:
    """Return the most that one model has cost for a question, a repeat at a time on average; None without results."""
    if role == "encoder" or not len(ledger.results):
        return None
    repeats, dollars = ledger.roster.repeats, float(ledger.usage.list_costs(role).max(initial=0.0))
    return Spending(-(-ledger.usage.find_most_tokens(role) // repeats), dollars / repeats)


def _find_folder(preparation: Preparation) -> Path:
    return Path(preparation.config.processing.checkpoint_directory) / OWN_FOLDER / SPENDING_FOLDER


def find_recorded(pricing: Mapping[Role, Pricing], ledger: Ledger) -> Spending:
    """Return what all answers and grades have cost that are known; unknown costs are left out."""
    tokens = sum(each.total for each in ledger.usage.add_up_tokens().values())
    spent = Spending(tokens, add_up_roles(ledger.usage.add_up_costs()).dollars)
    unfinished = (
        Spending(TokenSum.read(usage).total, (role in pricing and pricing[role].find_cost(usage)) or 0.0)
        for role, usage in _list_unfinished(ledger)
    )
    return add_up([spent, *unfinished])


def _list_unfinished(ledger: Ledger) -> Iterator[tuple[Role, JsonValue]]:
    """Return what is paid of questions that are not finished."""
    for asking in ledger.awaiting_grade():
        answer = ledger.known_answer(asking)
        yield "generator", answer.usage if answer else {}
    for clarification in ledger.clarifications.list_all():
        yield "generator", clarification.usage
    for asking in ledger.repeats.positions(0, len(ledger.repeats)):
        if ledger.position_of(asking) not in ledger.results:
            yield from _list_roles(from_line(ledger.repeats.read(asking)).get("usage"), ROLES)
    for asking, usage in ledger.ignored_usage.items():
        if not ledger.is_finished(asking):
            yield from _list_roles(usage, ("grader",) if asking in ledger.answers else ROLES)


def _list_roles(usage: JsonValue, roles: Sequence[Role]) -> Iterator[tuple[Role, JsonValue]]:
    for role in roles:
        yield role, usage.get(role) if isinstance(usage, dict) else {}
