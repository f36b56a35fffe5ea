"""What the page says first: one sentence that decides, and what qualifies it."""

from dataclasses import dataclass

from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.comparing.pairs import Pair, list_ends
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.comparing.sentences import (
    claim,
    count_questions,
    decide,
    explain_doubt,
    face_better,
    format_p,
    format_points,
)
from tasks.evaluation.pages.wording import format_ends, format_share


@dataclass(frozen=True)
class Headline:
    """The page's first words."""

    title: str
    """The sentence that decides."""
    detail: str
    """What qualifies it; may be empty."""


def write_headline(figures: tuple[ComparedRun, ...], comparison: Comparison | None, *, is_graded: bool) -> Headline:
    """Return the headline.

    Args:
        figures: the runs' figures.
        comparison: the runs beside each other; None for one run.
        is_graded: scores are not all 0 or 1.
    """
    if comparison is None:
        return _describe_one(figures[0], is_graded=is_graded)
    if len(comparison.pairs) == 1:
        return _describe_pair(comparison.pairs[0], comparison.confidence)
    return _describe_leaders(comparison)


def list_sentences(comparison: Comparison) -> list[str]:
    """Return the deciding sentence for each pair."""
    return [decide(pair, confidence=comparison.confidence, pair_count=len(comparison.pairs)) for pair in comparison.pairs]


def _describe_pair(pair: Pair, confidence: float) -> Headline:
    if pair.verdict == "cannot tell":
        return Headline(claim(pair), _begin(explain_doubt(pair, confidence=confidence)))
    found = face_better(pair)
    ends = list_ends(found)
    interval = [f"95 % interval {format_points(ends[0])} to {format_points(ends[1])} points"] if ends else []
    on = f"on the {count_questions(pair.n)} that both have scored"
    return Headline(claim(pair), _begin(", ".join([*interval, format_p(found.p), on])))


def _begin(words: str) -> str:
    """Return the words as a sentence; a p stays small."""
    return f"{words if words.startswith('p ') else words[:1].upper() + words[1:]}." if words else ""


def _describe_one(run: ComparedRun, *, is_graded: bool) -> Headline:
    if run.accuracy is None:
        return Headline(f"{run.name} has no score yet", "")
    reached = "reaches {} of the points on {}" if is_graded else "answers {} of {} right"
    title = f"{run.name} {reached.format(format_share(run.accuracy), count_questions(run.scored))}"
    parts = [f"95 % interval {format_ends(run.interval)}"] if run.interval else []
    if run.chance is not None and run.is_above_chance is not None:
        above = "above" if run.is_above_chance else "not above"
        parts.append(f"{above} the {format_share(run.chance)} that guessing reaches")
    return Headline(title, _begin(", ".join(parts)))


def _describe_leaders(comparison: Comparison) -> Headline:
    """Return who leads several runs."""
    leaders, count = comparison.leaderboard[0], len(comparison.runs)
    on = f"On the {count_questions(comparison.common)} that all {count} have scored"
    if len(leaders) == 1:
        return Headline(f"{leaders[0]} is the best of {count} runs", f"{on}, it is better than each other run.")
    if len(leaders) == count:
        return Headline(f"None of {count} runs can be told apart from the best", f"{on}, {leaders[0]} scores highest.")
    names = f"{', '.join(leaders[:-1])} and {leaders[-1]}"
    return Headline(
        f"{names} lead {count} runs", f"{on}, {leaders[0]} scores highest, and the others cannot be told apart from it."
    )
