"""A model's reply, as the rest of the program knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.evaluation.endpoints.usage import Usage


@dataclass(frozen=True)
class Answer:
    """A model's reply.

    `reasoning` is what a model thought before it answered, kept apart and never graded. `usage` holds the token counts
    that the endpoint gives, of all replies that this one took. `finish_reason` is the endpoint's, `length` for an answer that
    was cut. `token_logprobs` holds the likeliest first tokens with the natural logarithms of their probabilities, None where
    the endpoint gave none.
    """

    text: str
    reasoning: str | None
    usage: Usage
    finish_reason: str | None
    response_model: str | None
    seconds: float
    token_logprobs: Mapping[str, float] | None = None

    @property
    def is_truncated(self) -> bool:
        """Whether the reply was cut before its end."""
        return self.finish_reason == "length"
