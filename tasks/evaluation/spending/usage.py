"""An endpoint's own count of what a reply has cost, its `usage`: tokens, and with some also dollars; read, and added up.

Sources: https://platform.openai.com/docs/api-reference/chat/object, the member `usage`; for its `cost`
https://openrouter.ai/docs/use-cases/usage-accounting, and for the header https://docs.litellm.ai/docs/proxy/response_headers.
"""

from collections.abc import Mapping
from typing import TypeGuard

from tasks.evaluation.json_lines import JsonObject, JsonValue

# No reply costs this much, and larger numbers are not read exactly everywhere, or not at all.
MOST_COUNTED = 2**53
MOST_DOLLARS = 1_000_000

# Counts by name; `prompt_tokens_details` and the like hold counts of their own. `cost` is in US dollars.
Usage = JsonObject
COST = "cost"
# Where endpoints say what a reply has cost: OpenRouter and LiteLLM, Perplexity within an object, DeepInfra.
COSTS = (COST, "total_cost", "estimated_cost")
# With an account's own key at the provider, OpenRouter's cost is its fee alone, and what the provider charges stands here.
UPSTREAM_COST = "upstream_inference_cost"
COST_HEADER = "x-litellm-response-cost"


def read_usage(value: object) -> Usage:
    """Return the counts in a reply's `usage`, including those of its details that are not zero; empty if it has no counts."""
    counts: Usage = {}
    if not isinstance(value, dict):
        return counts
    cost = _find_cost(value)
    for name, entry in value.items():
        if is_count(entry) and name != COST:
            counts[name] = entry
        elif isinstance(entry, dict):
            details: Usage = {key: count for key, count in entry.items() if is_count(count) and count}
            counts |= {name: details} if details else {}
    return counts if cost is None else counts | {COST: cost}


def add_cost(usage: Usage, headers: Mapping[str, str]) -> Usage:
    """Return the usage with the cost that the reply's headers name, if it names none itself."""
    cost = None if COST in usage else _read_dollars(headers.get(COST_HEADER))
    return usage if cost is None else usage | {COST: cost}


def read_cost(usage: object) -> float | None:
    """Return what a reply has cost, in US dollars, as its endpoint says; None if it does not say."""
    cost = usage.get(COST) if isinstance(usage, dict) else None
    return _read_dollars(cost)


def add_usage(one: Usage, other: Usage) -> Usage:
    """Return the sum of both, name by name; a count that only one of them has is kept as it is, but no cost."""
    if not (one and other):
        return {**one, **other}
    names = [name for name in {**one, **other} if name != COST or (COST in one and COST in other)]
    return {name: _add(one.get(name), other.get(name)) for name in names}


def count_reasoning(usage: Usage) -> int:
    """Return the tokens of reasoning that the counts name, which some endpoints charge for and do not show."""
    details = usage.get("completion_tokens_details")
    count = details.get("reasoning_tokens") if isinstance(details, dict) else usage.get("reasoning_tokens")
    return count if is_count(count) else 0


def count_cached(usage: Usage) -> int:
    """Return the tokens of the prompt that the endpoint had kept from earlier ones, as far as it names them."""
    details = usage.get("prompt_tokens_details")
    nested = details.get("cached_tokens") if isinstance(details, dict) else None
    named = (nested, usage.get("prompt_cache_hit_tokens"), usage.get("cache_read_input_tokens"))
    return max(count if is_count(count) else 0 for count in named)


def is_count(value: object) -> TypeGuard[int]:
    """Return True if the value is a number of tokens."""
    return type(value) is int and 0 <= value <= MOST_COUNTED


def _add(one: JsonValue, other: JsonValue) -> JsonValue:
    if isinstance(one, dict) or isinstance(other, dict):
        return add_usage(read_usage(one), read_usage(other))
    if isinstance(one, float) and isinstance(other, float):
        return one + other
    return sum(count for count in (one, other) if is_count(count))


def _find_cost(usage: Mapping[str, object]) -> float | None:
    """Return the cost that a `usage` names, which may be an object with the total in it."""
    nested = usage.get(COST)
    places = (usage, nested) if isinstance(nested, dict) else (usage,)
    found = (_read_dollars(place.get(name)) for place in places for name in COSTS)
    cost = next((cost for cost in found if cost is not None), None)
    if usage.get("is_byok") is not True:
        return cost
    details = usage.get("cost_details")
    upstream = _read_dollars(details.get(UPSTREAM_COST)) if isinstance(details, dict) else None
    return None if cost is None or upstream is None else cost + upstream


def _read_dollars(value: object) -> float | None:
    """Return an amount of money, which may be a number in a text; None if it is anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value)
    except (ValueError, OverflowError):
        return None
    return amount if 0 <= amount <= MOST_DOLLARS else None
