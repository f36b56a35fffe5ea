"""Estimates what the remaining questions will cost, from what known answers have cost, or from the lengths of the prompts."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.endpoints.bill import find_reply_limit
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.scoring.prompts import generator_messages
from tasks.evaluation.spending.costs import format_dollars
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import Role, TokenSum

# How many of the answers that await their grade, or of the open questions, are read: enough for a mean, and quickly done.
SAMPLE = 1_000
# Of English text, in the tokenizers of today. Source: https://platform.openai.com/tokenizer, which says about four.
BYTES_A_TOKEN = 4
NORMAL_95 = 1.96


class CostEstimate(NamedTuple):
    """What the rest will cost, in US dollars."""

    low: float
    """The lower end of a 95 % interval, or of what is possible."""
    high: float
    """The upper end."""
    basis: str
    """How that is known."""


def estimate_tokens(ledger: Ledger, *, has_grader: bool) -> list[str]:
    """Return a line for each endpoint that will still be asked: for about how many tokens in all, and how that is known."""
    known, left = _add_up_known(ledger), _count_left(ledger, has_grader=has_grader)
    return [_describe_tokens(role, count, known[role]) for role, count in left.items() if count]


def estimate_each(ledger: Ledger, *, has_grader: bool) -> dict[Role, TokenSum | None]:
    """Return for about how many tokens each endpoint will still be asked; None where no known answer says what it cost."""
    known, left = _add_up_known(ledger), _count_left(ledger, has_grader=has_grader)
    return {role: known[role].scale_to(count) for role, count in left.items() if count}


def estimate_costs(
    ledger: Ledger, request: JsonObject, prompt: Prompt, pricing: Mapping[Role, Pricing]
) -> dict[Role, CostEstimate]:
    """Return what each endpoint that will still be asked will cost, as far as that can be known.

    Args:
        ledger: what is known.
        request: what is sent to the generator besides the messages.
        prompt: the words around the questions.
        pricing: what the replies of each model cost.
    """
    found: dict[Role, CostEstimate] = {}
    for role, count in _count_left(ledger, has_grader="grader" in pricing).items():
        costs = ledger.usage.list_costs(role) / ledger.roster.repeats
        estimate = _estimate_from(costs, count)
        if estimate is None and role == "generator":
            estimate = _estimate_by_length(ledger, request, prompt, pricing[role], count)
        if estimate and count:
            found[role] = estimate
    return found


def describe_costs(estimates: Mapping[Role, CostEstimate]) -> list[str]:
    """Return a line for each endpoint."""
    return [
        f"Cost still to be paid, {role}: {format_dollars(each.low)} to {format_dollars(each.high)}, {each.basis}"
        for role, each in estimates.items()
    ]


def _add_up_known(ledger: Ledger) -> dict[Role, TokenSum]:
    """Return what known answers and grades have cost; those of the answers that await a grade by a sample."""
    repeats = ledger.roster.repeats
    known = {role: replace(tokens, counted=tokens.counted * repeats) for role, tokens in ledger.usage.add_up_tokens().items()}
    for asking in islice(ledger.awaiting_grade(), SAMPLE):
        answer = ledger.known_answer(asking)
        known["generator"] += TokenSum.read(answer.usage if answer else None)
    return known


def _count_left(ledger: Ledger, *, has_grader: bool) -> dict[Role, int]:
    """Return how often each endpoint is still to be asked."""
    open_count = ledger.open_asking_count
    return {"generator": open_count - len(ledger.awaiting_grade()), "grader": open_count if has_grader else 0}


def _describe_tokens(role: Role, count: int, known: TokenSum) -> str:
    estimated = known.scale_to(count)
    if estimated is None:
        return f"Tokens still to be paid, {role}: unknown, no known answer says what it cost"
    return f"Tokens still to be paid, {role}: about {estimated}, by the mean of {known.counted:,}"


def _estimate_from(costs: np.ndarray[tuple[int, ...], np.dtype[np.float64]], count: int) -> CostEstimate | None:
    """Return what `count` more will cost: a 95 % prediction interval for their sum; None without two known costs.

    Source: the variance of a sum of N new values about N times the mean of n known ones is s² (N + N² / n).
    """
    known = len(costs)
    if known < 2:
        return None
    middle = count * float(costs.mean())
    margin = NORMAL_95 * float(costs.std(ddof=1)) * math.sqrt(count + count * count / known)
    return CostEstimate(max(middle - margin, 0.0), middle + margin, f"by the mean of {known:,}")


def _estimate_by_length(
    ledger: Ledger, request: JsonObject, prompt: Prompt, pricing: Pricing, count: int
) -> CostEstimate | None:
    """Return what `count` questions will cost between empty replies and the longest; None without prices or a limit."""
    limit = find_reply_limit(request)
    positions = islice(ledger.open_positions(range(len(ledger.questions))), SAMPLE)
    sample = [question for position in positions if (question := ledger.questions[position])]
    if limit is None or not sample or ledger.contexts or pricing.prices is None:
        return None
    sizes = [sum(len(message["content"].encode()) for message in generator_messages(each, prompt)) for each in sample]
    mean_tokens = round(sum(sizes) / len(sizes) / BYTES_A_TOKEN)
    ends = [pricing.find_most(mean_tokens, completion) for completion in (0, limit)]
    low, high = (count * (end or 0.0) for end in ends)
    return CostEstimate(low, high, f"by the length of the prompts, for replies of up to {limit:,} tokens")
