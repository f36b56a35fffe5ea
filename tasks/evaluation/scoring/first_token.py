"""Multiple choice by the first token: the choice whose label is the likeliest to begin the answer."""

import math
from collections.abc import Mapping

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Question

# What tokenizers and models put around a label: "▁A" and "ĠA" where a server shows its tokenizer's spaces, "(A", "**A", "A)".
AROUND_LABEL = " \t\r\n▁Ġ*_([{\"'`.,:)]}"


def grade_by_first_token(question: Question, token_logprobs: Mapping[str, float] | None) -> JsonObject:
    """The evaluation of an answer by the likeliest first tokens, given with their natural logarithms.

    `probabilities` holds each choice's, summed over the tokens that spell its label; the rest of 1 lies with other tokens.

    Raises:
        UserMistake: there are no such tokens, because the endpoint gives none.
    """
    if token_logprobs is None:
        raise UserMistake(
            "the generator's endpoint gives no logprobs, and grading: logprobs needs them: take grading out of the settings, "
            "or ask an endpoint that gives them (with vLLM, not more than its --max-logprobs)"
        )
    probabilities = dict.fromkeys(question.choices, 0.0)
    for token, logprob in token_logprobs.items():
        label = token.strip(AROUND_LABEL)
        if label in probabilities:
            probabilities[label] += math.exp(logprob)
    likeliest = max(probabilities, key=probabilities.__getitem__)
    chosen = likeliest if probabilities[likeliest] else None
    return {
        "reference_choice": question.right[0][0],
        "model_choice": chosen,
        "score": int(any(labels == (chosen,) for labels in question.right)),
        "reasoning": f"the likeliest first token is {chosen}" if chosen else "no choice is among the likeliest first tokens",
        "format": "mc",
        "probabilities": {label: round(probability, 6) for label, probability in probabilities.items()},
    }
