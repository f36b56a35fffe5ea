"""Opens the budget of a run: its caps, and what counts against them from before."""

from collections.abc import Iterator, Mapping

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.budget import Budget, OwnPurse
from tasks.evaluation.endpoints.costs import add_up_roles
from tasks.evaluation.endpoints.pricing import Pricing
from tasks.evaluation.endpoints.spending import Caps, Spending
from tasks.evaluation.endpoints.tokens import Role, TokenSum
from tasks.evaluation.json_lines import JsonValue, from_line
from tasks.evaluation.scoring.ledger import Ledger


def open_budget(config: Config, pricing: Mapping[Role, Pricing], ledger: Ledger) -> Budget | None:
    """Return the budget that the settings name; None if nothing is limited."""
    settings = config.budget
    if settings.seconds is None and not settings.limits_spending:
        return None
    before = find_spent(pricing, ledger) if settings.limits_spending else Spending()
    return Budget(settings, OwnPurse(Caps(settings), before))


def find_spent(pricing: Mapping[Role, Pricing], ledger: Ledger) -> Spending:
    """Return what all answers and grades have cost that are known, whichever run paid for them; unknown costs are left out."""
    tokens = sum(each.total for each in ledger.add_up_tokens().values())
    spent = Spending(tokens, add_up_roles(ledger.add_up_costs()).dollars)
    for role, usage in _list_unfinished(ledger):
        cost = pricing[role].find_cost(usage) if role in pricing else None
        spent = spent.plus(Spending(TokenSum.read(usage).total, cost or 0.0))
    return spent


def _list_unfinished(ledger: Ledger) -> Iterator[tuple[Role, JsonValue]]:
    """Return what is paid of questions that are not finished."""
    for asking in ledger.awaiting_grade():
        answer = ledger.known_answer(asking)
        yield "generator", answer.usage if answer else {}
    for clarification in ledger.clarifications.list_all():
        yield "generator", clarification.usage
    for asking in ledger.repeats.positions(0, len(ledger.repeats)):
        if ledger.position_of(asking) not in ledger.results:
            usage = from_line(ledger.repeats.read(asking)).get("usage")
            for role in ("generator", "grader"):
                yield role, usage.get(role) if isinstance(usage, dict) else {}
