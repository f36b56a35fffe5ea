"""What a model's tokens cost, as the settings name it."""

from typing import Annotated

from pydantic import Field

from tasks.evaluation.config.settings import Settings

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Prices(Settings):
    """Prices in US dollars for a million tokens."""

    prompt: Price
    """Tokens of prompts."""
    completion: Price = 0.0
    """Tokens of replies. To be left out only for an encoder, which writes none."""
    cached: Price | None = None
    """Those tokens of a prompt that the endpoint had kept from earlier ones; None: as `prompt`."""
    reasoning: Price | None = None
    """Those tokens of a reply that are reasoning; None: as `completion`."""


def require_completion(prices: Prices | None) -> Prices | None:
    """Return the prices of a model that writes replies.

    Raises:
        ValueError: they do not say what a reply costs.
    """
    if prices is not None and "completion" not in prices.model_fields_set:
        raise ValueError("names no completion, the price of a million tokens of replies")
    return prices
