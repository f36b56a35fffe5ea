"""What a reply costs: as its endpoint says, else by the settings' prices, else by the public prices of its provider.

Public prices are those that come with the package genai-prices, which knows a provider by its address: a server in a lab has
none. What nobody knows is unknown, never nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import version

from tasks.evaluation.config.prices import Prices
from tasks.evaluation.spending.tokens import read_counts
from tasks.evaluation.spending.usage import count_cached, count_reasoning, read_cost

MILLION = 1_000_000


@dataclass(frozen=True)
class Pricing:
    """What replies of one model cost, in US dollars."""

    model: str = ""
    """The model's name, as it is sent."""
    url: str = ""
    """Its address."""
    own: Prices | None = None
    """The prices in the settings; None: there are none."""

    @cached_property
    def prices(self) -> Prices | None:
        """Return the prices of the model's tokens; None: only its endpoint may know."""
        return self.own or (_find_public(self.model, self.url) if self.url.startswith("https://") else None)

    @property
    def source(self) -> str:
        """Return where the prices are from."""
        if self.own:
            return "the settings"
        return f"genai-prices {version('genai-prices')}" if self.prices else "unknown"

    def find_cost(self, usage: object) -> float | None:
        """Return what a reply with this `usage` has cost, or several that it adds up; None if nobody knows."""
        own = read_cost(usage)
        if own is not None or not isinstance(usage, dict) or self.prices is None:
            return own
        prompt, completion, total = read_counts(usage)
        if not total:
            return None
        # Some endpoints count reasoning in the total alone.
        return _multiply(self.prices, prompt, max(completion, total - prompt), count_cached(usage), count_reasoning(usage))

    def find_most(self, prompt: int, completion: int) -> float | None:
        """Return the most that a reply may cost by the prices; None without prices.

        Args:
            prompt: the most tokens of its prompt.
            completion: the most tokens of the reply.
        """
        prices = self.prices
        if prices is None:
            return None
        dearest = max(prices.prompt, prices.cached or 0.0), max(prices.completion, prices.reasoning or 0.0)
        return (prompt * dearest[0] + completion * dearest[1]) / MILLION


def _multiply(prices: Prices, prompt: int, completion: int, cached: int, reasoning: int) -> float:
    cached, reasoning = min(cached, prompt), min(reasoning, completion)
    of_cached = prices.prompt if prices.cached is None else prices.cached
    of_reasoning = prices.completion if prices.reasoning is None else prices.reasoning
    of_prompts = (prompt - cached) * prices.prompt + cached * of_cached
    return (of_prompts + (completion - reasoning) * prices.completion + reasoning * of_reasoning) / MILLION


@cache
def _find_public(model: str, url: str) -> Prices | None:
    """Return the public prices of a provider's model; None if the package does not know the provider or the model."""
    # Imported where it is needed: it takes a third of a second.
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415
    from genai_prices.types import TieredPrices  # noqa: PLC0415

    try:
        _, found = get_snapshot().find_provider_model(model, None, None, url)
    except LookupError:
        return None
    public = found.get_prices(datetime.now(UTC))
    named = {"prompt": public.input_mtok, "completion": public.output_mtok, "cached": public.cache_read_mtok}
    # A provider with tiers asks more for prompts that are longer than any exam question.
    bases = {name: price.base if isinstance(price, TieredPrices) else price for name, price in named.items()}
    known = {name: float(price) for name, price in bases.items() if price is not None}
    return Prices(**known) if "prompt" in known else None
