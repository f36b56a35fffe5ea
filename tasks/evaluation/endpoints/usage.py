"""An endpoint's own count of the tokens that a reply has cost, its `usage`: read, and added up over replies.

Source: https://platform.openai.com/docs/api-reference/chat/object, the member `usage`.
"""

from typing import TypeGuard

from tasks.evaluation.json_lines import JsonObject, JsonValue

# No reply costs this much, and larger numbers are not read exactly everywhere, or not at all.
MOST_COUNTED = 2**53

# Counts by name; `prompt_tokens_details` and the like hold counts of their own.
Usage = JsonObject


def read_usage(value: object) -> Usage:
    """Return the counts in a reply's `usage`, including those of its details that are not zero; empty if it has no counts."""
    counts: Usage = {}
    for name, entry in value.items() if isinstance(value, dict) else ():
        if is_count(entry):
            counts[name] = entry
        elif isinstance(entry, dict):
            details: Usage = {key: count for key, count in entry.items() if is_count(count) and count}
            counts |= {name: details} if details else {}
    return counts


def add_usage(one: Usage, other: Usage) -> Usage:
    """Return the sum of both, name by name; a count that only one of them has is kept as it is."""
    if not (one and other) and all(is_count(count) for count in (one or other).values()):
        return {**one, **other}
    return {name: _add(one.get(name), other.get(name)) for name in {**one, **other}}


def count_reasoning(usage: Usage) -> int:
    """Return the tokens of reasoning that the counts name, which some endpoints charge for and do not show."""
    details = usage.get("completion_tokens_details")
    count = details.get("reasoning_tokens") if isinstance(details, dict) else usage.get("reasoning_tokens")
    return count if is_count(count) else 0


def is_count(value: object) -> TypeGuard[int]:
    """Return True if the value is a number of tokens."""
    return type(value) is int and 0 <= value <= MOST_COUNTED


def _add(one: JsonValue, other: JsonValue) -> JsonValue:
    if isinstance(one, dict) or isinstance(other, dict):
        return add_usage(read_usage(one), read_usage(other))
    return sum(count for count in (one, other) if is_count(count))
