"""What a comparison says in words: one sentence that decides, for each pair."""

from dataclasses import replace
from math import floor, log10

from tasks.evaluation.comparing.pairs import Pair
from tasks.evaluation.statistics.paired import Difference

USUAL_CONFIDENCE = 0.95
SHOWN_DIGITS = 3
MOST_PLACES = 4


def decide(pair: Pair, *, confidence: float, pair_count: int) -> str:
    """Return the sentence that says which run is better, or what it would take to tell.

    Args:
        pair: the two runs.
        confidence: that of the comparison.
        pair_count: the number of pairs, for which p-values are adjusted.
    """
    if pair.verdict == "cannot tell":
        return f"{claim(pair)}: {explain_doubt(pair, confidence=confidence)}"
    found = face_better(pair)
    p = f"{format_p(pair.p_adjusted)} adjusted for {pair_count} pairs" if pair_count > 1 else format_p(found.p)
    return f"{claim(pair)}{format_ends(found, confidence=confidence)}, {p}"


def claim(pair: Pair) -> str:
    """Return the sentence's first part: which run is better and by how much, or that they cannot be told apart."""
    if pair.verdict == "cannot tell":
        these = "this question" if pair.n == 1 else f"these {count_questions(pair.n)}"
        return f"{pair.a} and {pair.b} cannot be told apart on {these}"
    better, worse = (pair.a, pair.b) if pair.verdict == "a" else (pair.b, pair.a)
    return f"{better} is better than {worse} by {format_points(face_better(pair).difference)} points"


def face_better(pair: Pair) -> Difference:
    """Return the difference between the better run and the other."""
    return reverse(pair.found) if pair.verdict == "b" else pair.found


def reverse(found: Difference) -> Difference:
    """Return the difference b - a."""
    low, high = (None if end is None else -end for end in (found.high, found.low))
    return replace(found, difference=-found.difference, low=low, high=high)


def format_points(difference: float) -> str:
    """Return a difference of accuracies in percentage points: to one decimal place, or as many as show that it is not zero."""
    points = 100 * difference
    shown = (f"{points:.{places}f}" for places in range(1, MOST_PLACES + 1))
    return next((text for text in shown if float(text)), "0.0")


def format_ends(found: Difference, *, confidence: float) -> str:
    """Return the interval in brackets, after a space, with its confidence unless that is the usual one; empty without one."""
    if found.low is None or found.high is None:
        return ""
    name = "" if confidence == USUAL_CONFIDENCE else f"{format_percent(confidence)} interval "
    return f" ({name}{format_points(found.low)} to {format_points(found.high)})"


def format_percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.6g} %"


def format_p(p: float | None) -> str:
    """Return a p-value as it is written: `p = 0.016`."""
    if p is None:
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def format_about(count: int) -> str:
    """Return a large number to three digits."""
    digits = SHOWN_DIGITS - 1 - floor(log10(count)) if count else 0
    return f"{round(count, min(digits, 0)):,}"


def count_questions(count: int) -> str:
    """Return the number with its noun."""
    return f"{count:,} question{'' if count == 1 else 's'}"


def explain_doubt(pair: Pair, *, confidence: float) -> str:
    """Return why the two cannot be told apart, and what would tell."""
    if not pair.differing:
        return f"both have the same score on {'it' if pair.n == 1 else 'each'}"
    if pair.smallest_visible is None:
        if not pair.found.difference:
            return "the accuracy is the same, on too few questions to mean anything"
        return f"they are too few for the {format_points(abs(pair.found.difference))} points observed to mean anything"
    seen = f"a difference under {format_points(pair.smallest_visible)} points is seen less than four times in five"
    return f"{seen}; {_explain_observed(pair, confidence=confidence)}"


def _explain_observed(pair: Pair, *, confidence: float) -> str:
    observed, p = abs(pair.found.difference), pair.found.p
    if not observed:
        return "none was observed"
    if pair.questions_needed is not None and pair.questions_needed > pair.n:
        needed = format_about(pair.questions_needed)
        return f"the {format_points(observed)} observed, if true, would need about {needed} questions"
    if p is not None and p < 1 - confidence:
        adjusted = format_p(pair.p_adjusted)
        return (
            f"the {format_points(observed)} observed ({format_p(p)}) count for less among several pairs (adjusted {adjusted})"
        )
    return f"the {format_points(observed)} observed may be chance ({format_p(p)})"
