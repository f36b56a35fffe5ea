"""A model's reply, as the rest of the program knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.spending.usage import Usage, count_reasoning


@dataclass(frozen=True)
class Answer:
    """A model's reply."""

    text: str
    """What it says; empty if it was cut before its first word."""

    reasoning: str | None
    """What the model thought before it answered, kept apart and never graded."""

    usage: Usage
    """The token counts that the endpoint gives, of all replies that this one took."""

    finish_reason: str | None
    """Why it ended, in the endpoint's words; `length` for every reply that was cut."""

    response_model: str | None
    """The model's name, as the endpoint gives it."""

    seconds: float
    """How long the request took."""

    token_logprobs: Mapping[str, float] | None = None
    """The likeliest first tokens with the natural logarithms of their probabilities; None if the endpoint gave none."""

    retrieval: JsonObject | None = None
    """Where the chunks that it was asked with lie in their corpus; None without retrieval."""

    @property
    def only_reasons(self) -> bool:
        """Return True if all words, or all tokens that it was charged for, were reasoning."""
        return not self.text and (bool(self.reasoning) or count_reasoning(self.usage) > 0)

    @property
    def is_truncated(self) -> bool:
        """Return True if the reply was cut before its end."""
        return self.finish_reason == "length"
