"""The difference between two runs on the questions that all have scored: how large, how sure, and where."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tasks.evaluation.comparing.comparability import has_same_selection
from tasks.evaluation.comparing.run_figures import ComparedRun
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.statistics.arrays import Codes, Floats
from tasks.evaluation.statistics.families import adjust_holm
from tasks.evaluation.statistics.paired import Difference, compare_scores
from tasks.evaluation.statistics.power import count_questions_needed, find_smallest_visible, measure_spread

Verdict = Literal["a", "b", "cannot tell"]


@dataclass(frozen=True)
class SharedScores:
    """The questions that all runs have scored: the n-th of every column is the same question."""

    scores: tuple[Floats, ...]
    """Each run's scores."""
    clusters: Codes | None
    """The cluster of each question; None: each is one of its own."""
    groups: Codes
    """The index of each question's group in `group_names`."""
    group_names: tuple[str, ...]
    """The groups; empty without groups."""


@dataclass(frozen=True)
class GroupDifference:
    """The difference within one group of questions."""

    group: str
    """The group's name; empty for the questions without a value."""
    n: int
    """The number of questions."""
    found: Difference
    """The difference of the accuracies, a - b."""
    p_adjusted: float | None
    """The p-value adjusted for the number of groups (Holm 1979)."""

    def to_json(self) -> JsonObject:
        """Return the difference as files hold it."""
        return {
            "group": self.group,
            "n": self.n,
            "difference": self.found.difference,
            "interval": _to_list(list_ends(self.found)),
            "p": self.found.p,
            "p_adjusted": self.p_adjusted,
        }


@dataclass(frozen=True)
class Pair:
    """Two runs beside each other, on the questions that all runs have scored."""

    a: str
    """The first run's name."""
    b: str
    """The second run's name."""
    n: int
    """The number of questions."""
    both_right: int
    """The number of questions for which both have the full score."""
    only_a: int
    """The number for which only a has the full score."""
    only_b: int
    """The number for which only b has the full score."""
    neither: int
    """The number for which neither has the full score."""
    differing: int
    """The number for which the two scores differ."""
    found: Difference
    """The difference of the accuracies, a - b."""
    p_adjusted: float | None
    """The p-value adjusted for the number of pairs (Holm 1979)."""
    verdict: Verdict
    """Which run is better beyond doubt, at the comparison's confidence."""
    smallest_visible: float | None
    """The smallest difference that this number of questions shows four times in five."""
    questions_needed: int | None
    """The number of questions that would show the observed difference four times in five."""
    difference_bounds: tuple[float, float] | None
    """The difference if all that is missing had been wrong, and if all had been right, the lower first; None if the runs
    selected different questions."""
    groups: tuple[GroupDifference, ...]
    """The differences by group, the largest first."""

    def to_json(self) -> JsonObject:
        """Return the pair as files hold it."""
        return {
            "a": self.a,
            "b": self.b,
            "n": self.n,
            "both_right": self.both_right,
            "only_a": self.only_a,
            "only_b": self.only_b,
            "neither": self.neither,
            "difference": self.found.difference,
            "interval": _to_list(list_ends(self.found)),
            "interval_method": self.found.interval_method,
            "p": self.found.p,
            "p_method": self.found.p_method,
            "p_adjusted": self.p_adjusted,
            "verdict": self.verdict,
            "smallest_visible": self.smallest_visible,
            "questions_needed": self.questions_needed,
            "difference_bounds": _to_list(self.difference_bounds),
            "groups": [group.to_json() for group in self.groups],
        }


def list_ends(found: Difference) -> tuple[float, float] | None:
    """Return the interval's two ends; None without one."""
    return None if found.low is None or found.high is None else (found.low, found.high)


def _to_list(ends: tuple[float, float] | None) -> JsonValue:
    return list(ends) if ends else None


def compare_pairs(
    runs: Sequence[ComparedRun], shared: SharedScores, counts: Sequence[Sequence[int]], *, confidence: float
) -> list[Pair]:
    """Return every two runs beside each other, with p-values adjusted for their number.

    Args:
        runs: the runs' figures.
        shared: the scores of the questions that all have scored.
        counts: how many scored questions each run has in common with each.
        confidence: of the intervals.
    """
    places = list(itertools.combinations(range(len(runs)), 2))
    pairs = [_compare(runs, shared, counts, places=both, confidence=confidence) for both in places]
    return adjust_pairs(pairs, confidence=confidence)


def adjust_pairs(pairs: Sequence[Pair], *, confidence: float) -> list[Pair]:
    """Return the pairs as one family: with p-values adjusted for their number (Holm 1979), and the verdicts that these give."""
    adjusted = _adjust([pair.found for pair in pairs])
    return [
        replace(pair, p_adjusted=p, verdict=_judge(pair.found, p, confidence=confidence))
        for pair, p in zip(pairs, adjusted, strict=True)
    ]


def pair_scores(names: tuple[str, str], a: Floats, b: Floats, clusters: Codes | None, *, confidence: float) -> Pair:
    """Return two runs beside each other, compared with nothing else, without groups and without bounds.

    Args:
        names: what they are called.
        a: the first one's scores.
        b: the second one's, of the same questions in the same order.
        clusters: the cluster of each question; None: each is one of its own.
        confidence: of the interval and of the verdict.
    """
    found, spread = compare_scores(a, b, clusters, confidence=confidence), measure_spread(a, b, clusters)
    right_a, right_b = a == 1, b == 1
    return Pair(
        a=names[0],
        b=names[1],
        n=len(a),
        both_right=int((right_a & right_b).sum()),
        only_a=int((right_a & ~right_b).sum()),
        only_b=int((right_b & ~right_a).sum()),
        neither=int((~right_a & ~right_b).sum()),
        differing=int((a != b).sum()),
        found=found,
        p_adjusted=found.p,
        verdict=_judge(found, found.p, confidence=confidence),
        smallest_visible=find_smallest_visible(len(a), spread, confidence=confidence) if spread else None,
        questions_needed=count_questions_needed(found.difference, spread, confidence=confidence) if spread else None,
        difference_bounds=None,
        groups=(),
    )


def _compare(
    runs: Sequence[ComparedRun],
    shared: SharedScores,
    counts: Sequence[Sequence[int]],
    *,
    places: tuple[int, int],
    confidence: float,
) -> Pair:
    """Return two runs beside each other, before the p-value is adjusted."""
    run_a, run_b = (runs[place] for place in places)
    a, b = (shared.scores[place] for place in places)
    return replace(
        pair_scores((run_a.name, run_b.name), a, b, shared.clusters, confidence=confidence),
        difference_bounds=_bound(run_a, run_b, counts[places[0]][places[1]]),
        groups=tuple(_compare_groups(a, b, shared, confidence=confidence)),
    )


def _compare_groups(a: Floats, b: Floats, shared: SharedScores, *, confidence: float) -> list[GroupDifference]:
    """Return the differences by group, the largest first; adjusted for their number."""
    if not shared.group_names:
        return []
    order = np.argsort(shared.groups, kind="stable")
    codes, starts = np.unique(shared.groups[order], return_index=True)
    parts = np.split(order, starts[1:])
    clusters = shared.clusters
    found = [
        compare_scores(a[part], b[part], None if clusters is None else clusters[part], confidence=confidence) for part in parts
    ]
    differences = [
        GroupDifference(shared.group_names[int(code)], len(part), each, p)
        for code, part, each, p in zip(codes, parts, found, _adjust(found), strict=True)
    ]
    return sorted(differences, key=lambda group: (-abs(group.found.difference), group.group))


def _adjust(found: Sequence[Difference]) -> list[float | None]:
    """Return the p-values adjusted for their number (Holm 1979); one that cannot be said counts for nothing."""
    known = [each.p for each in found if each.p is not None]
    adjusted = iter(adjust_holm(known))
    return [None if each.p is None else next(adjusted) for each in found]


def _judge(found: Difference, p: float | None, *, confidence: float) -> Verdict:
    if p is None or not found.difference or p >= 1 - confidence:
        return "cannot tell"
    return "a" if found.difference > 0 else "b"


def _bound(a: ComparedRun, b: ComparedRun, shared: int) -> tuple[float, float] | None:
    if a.bounds is None or b.bounds is None or not has_same_selection(a, b, shared):
        return None
    if_wrong, if_right = (end_a - end_b for end_a, end_b in zip(a.bounds, b.bounds, strict=True))
    return min(if_wrong, if_right), max(if_wrong, if_right)
