"""The settings that limit what may be spent."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tasks.evaluation.config.settings import Count, Settings

Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Period = Literal["day", "month"]
# The caps, by the names that the command and the form give them.
CAPS = {"max_cost": "cost", "max_tokens_total": "tokens", "max_seconds": "seconds"}


class BudgetSettings(Settings):
    """What may be spent at most; what is not set has no limit."""

    cost: Amount | None = None
    """US dollars."""
    tokens: Count | None = None
    """Tokens of prompts and replies together."""
    seconds: Amount | None = None
    """Seconds from the run's start; what is in flight then is waited for."""
    per: Period | None = None
    """Count what all runs with this checkpoint directory and a budget of this kind spend in a calendar day or month, UTC.

    None: count what all results of the evaluation have cost, whichever run paid for them.
    """

    @model_validator(mode="after")
    def _require_cap(self) -> Self:
        if self.per and self.cost is None and self.tokens is None:
            raise ValueError(f"per: {self.per} limits nothing: set cost or tokens beside it")
        return self

    def replace(self, caps: Mapping[str, object]) -> Self:
        """Return the budget with these caps, by the names in `CAPS`, in place of its own; None leaves one as it is."""
        return self.model_copy(update={CAPS[name]: cap for name, cap in caps.items() if cap is not None})

    @property
    def limits_spending(self) -> bool:
        """Return True if dollars or tokens are limited."""
        return self.cost is not None or self.tokens is not None
