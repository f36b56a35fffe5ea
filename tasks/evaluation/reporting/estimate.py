"""Estimates what the remaining questions will cost from what the known answers have cost."""

from dataclasses import replace
from itertools import islice

from tasks.evaluation.endpoints.tokens import Role, TokenSum
from tasks.evaluation.scoring.ledger import Ledger

# How many of the answers that await their grade are read: enough for a mean, and quickly done.
SAMPLE = 1_000


def estimate_tokens(ledger: Ledger, *, has_grader: bool) -> list[str]:
    """Return a line for each endpoint that will still be asked: for about how many tokens in all, and how that is known."""
    awaiting, known, repeats = ledger.awaiting_grade(), ledger.add_up_tokens(), ledger.roster.repeats
    known = {role: replace(tokens, counted=tokens.counted * repeats) for role, tokens in known.items()}
    open_count = ledger.open_asking_count
    left: dict[Role, int] = {"generator": open_count - len(awaiting), "grader": open_count if has_grader else 0}
    for asking in islice(awaiting, SAMPLE):
        answer = ledger.known_answer(asking)
        known["generator"] += TokenSum.read(answer.usage if answer else None)
    return [_describe(role, count, known[role]) for role, count in left.items() if count]


def _describe(role: Role, count: int, known: TokenSum) -> str:
    estimated = known.scale_to(count)
    if estimated is None:
        return f"Tokens still to be paid, {role}: unknown, no known answer says what it cost"
    return f"Tokens still to be paid, {role}: about {estimated}, by the mean of {known.counted:,}"
