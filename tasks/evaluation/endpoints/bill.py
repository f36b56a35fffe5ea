"""The bill of one client: what its replies have cost, and, within a budget, the most that the next one may cost."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, to_line
from tasks.evaluation.spending.amounts import Spending
from tasks.evaluation.spending.budget import Budget, Receipt
from tasks.evaluation.spending.costs import CostSum
from tasks.evaluation.spending.tokens import TokenSum
from tasks.evaluation.spending.usage import is_count

# No tokenizer makes more tokens of a text than it has bytes; templates add words of their own, and marks around each message.
TEMPLATE_TOKENS, MARK_TOKENS = 256, 16
# In this order endpoints look for the limit of a reply.
LIMITS = ("max_completion_tokens", "max_tokens")
# How much more than the largest reply so far the next one may be, where no setting limits it.
HEADROOM = 2


def find_reply_limit(request: JsonObject) -> int | None:
    """Return the most tokens that a reply to the request may have; None without a limit."""
    return next((limit for name in LIMITS if is_count(limit := request.get(name))), None)


class Bill:
    """Adds up what one model's replies have cost, whether they could be used or not.

    `tokens` is what they have taken, as far as they say, and `cost` what that is in dollars.

    Args:
        endpoint: the model.
        budget: what may be spent; None: anything.
    """

    def __init__(self, endpoint: Endpoint, budget: Budget | None) -> None:
        self.tokens, self.cost = TokenSum(), CostSum()
        self._pricing = endpoint.pricing
        self._budget = budget
        self._role, self._origin = endpoint.role, endpoint.origin
        self._request_bytes = len(to_line(endpoint.request)) + TEMPLATE_TOKENS
        self._limit = 0 if endpoint.api == "embeddings" else find_reply_limit(endpoint.request)
        self._largest: Spending | None = None
        self._has_costs = False

    def expect(self, largest: Spending | None) -> None:
        """Take what earlier runs have paid for the largest of their replies; None: nothing is known of any."""
        if largest and largest.tokens:
            self._largest, self._has_costs = largest, largest.dollars > 0

    @asynccontextmanager
    async def hold(self, messages: Sequence[Message]) -> AsyncIterator[Receipt]:
        """Set aside what the request may cost, as soon as the budget has room, until it has ended.

        Raises:
            BudgetReached: there will be no room any more.
        """
        if self._budget is None:
            yield Receipt()
            return
        async with self._budget.hold(self._find_most(messages)) as receipt:
            yield receipt

    def note(self, usage: Mapping[str, object], receipt: Receipt, messages: Sequence[Message]) -> TokenSum:
        """Add up what the reply to a request has cost; return its tokens."""
        tokens, cost = TokenSum.read(usage), self._pricing.find_cost(usage)
        self.tokens += tokens
        self.cost += CostSum.read(cost)
        if self._budget:
            receipt.spent = self._settle(self._budget, tokens.total, cost, messages)
        return tokens

    def _find_most(self, messages: Sequence[Message]) -> Spending | None:
        """Return the most that the reply to these messages may take; None if that is not known yet."""
        largest, limit = self._largest, self._limit
        if limit is None and largest is None:
            return None
        largest = largest or Spending()
        # Where no setting limits replies, the largest so far must do.
        completion = HEADROOM * largest.tokens if limit is None else limit
        prompt = self._request_bytes + sum(len(str(message["content"]).encode()) + MARK_TOKENS for message in messages)
        dollars = self._pricing.find_most(prompt, completion)
        if dollars is None and self._budget and self._budget.settings.cost and not self._has_costs:
            return None
        dollars = HEADROOM * largest.dollars if dollars is None else dollars
        # An endpoint that has once not kept to the limit may do so again.
        return Spending(max(prompt + completion, largest.tokens), max(dollars, largest.dollars))

    def _settle(self, budget: Budget, tokens: int, cost: float | None, messages: Sequence[Message]) -> Spending:
        """Return what a reply counts with: if it does not say, with the most that it may have taken."""
        most, caps = self._find_most(messages), budget.settings
        if not most and ((caps.tokens and not tokens) or (caps.cost and cost is None)):
            budget.refuse(self._describe_unknown(is_cost=cost is None and caps.cost is not None))
        largest = self._largest or Spending()
        self._has_costs |= cost is not None
        self._largest = Spending(max(tokens, largest.tokens), max(cost or 0.0, largest.dollars))
        most = most or Spending()
        return Spending(tokens or most.tokens, most.dollars if cost is None else cost)

    def _describe_unknown(self, *, is_cost: bool) -> UserMistake:
        if is_cost:
            return UserMistake(
                f"budget.cost cannot be kept: nothing says what the {self._role}'s replies cost. Set prices in "
                f"{self._origin}, or budget.tokens in place of budget.cost"
            )
        return UserMistake(f"budget.tokens cannot be kept: the {self._role} does not say how many tokens its replies take")
