"""What the page says first: one sentence that decides, and what qualifies it."""

import re
from dataclasses import dataclass

from tasks.evaluation.comparing.comparison import Comparison
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.comparing.sentences import count_questions, decide
from tasks.evaluation.pages.wording import format_ends, format_share

# Where the sentence on runs that cannot be told apart goes on to explain why.
APART = re.compile(r"(.* on (?:this question|these [\d,]+ questions?)): (.*)", re.DOTALL)
# Where the sentence on runs that can be told apart goes on to say how sure that is.
BETTER = re.compile(r"(.* is better than .* by [\d.]+ points)(?: \((.*)\))?, (p .*)", re.DOTALL)


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
        return split_sentence(list_sentences(comparison)[0], comparison.common)
    return _describe_leaders(comparison)


def list_sentences(comparison: Comparison) -> list[str]:
    """Return the deciding sentence for each pair."""
    return [decide(pair, confidence=comparison.confidence, pair_count=len(comparison.pairs)) for pair in comparison.pairs]


def split_sentence(sentence: str, common: int) -> Headline:
    """Return a deciding sentence as a headline.

    Args:
        sentence: as `decide` writes it.
        common: the number of questions that both runs have scored.
    """
    if found := APART.fullmatch(sentence):
        return Headline(found[1], f"{found[2][:1].upper()}{found[2][1:]}.")
    if found := BETTER.fullmatch(sentence):
        interval = f"95 % interval {found[2]} points, " if found[2] else ""
        on = f"on the {count_questions(common)} that both have scored"
        detail = f"{interval}{found[3]}, {on}."
        return Headline(found[1], f"{detail[:1].upper()}{detail[1:]}" if interval else detail)
    return Headline(sentence, "")


def _describe_one(run: ComparedRun, *, is_graded: bool) -> Headline:
    if run.accuracy is None:
        return Headline(f"{run.name} has no score yet", "")
    reached = "reaches {} of the points on {}" if is_graded else "answers {} of {} right"
    title = f"{run.name} {reached.format(format_share(run.accuracy), count_questions(run.scored))}"
    parts = [f"95 % interval {format_ends(run.interval)}"] if run.interval else []
    if run.chance is not None:
        above = "above" if run.is_above_chance else "not above"
        parts.append(f"{above} the {format_share(run.chance)} that guessing reaches")
    detail = ", ".join(parts)
    return Headline(title, f"{detail[:1].upper()}{detail[1:]}." if detail else "")


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
