"""Letters that say which of several runs cannot be told apart: a compact letter display."""

from collections.abc import Callable
from itertools import combinations
from string import ascii_lowercase


def assign_letters(count: int, told_apart: Callable[[int, int], bool]) -> list[str]:
    """Return each run's letters: two runs share a letter if they cannot be told apart, and only then.

    The letters follow the runs' order; each run has one at least. After z comes a2.

    Args:
        count: the number of runs, which are known by their places from 0.
        told_apart: whether two runs, the one with the lower place first, can be told apart.

    Source: Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons", with the letters found as
    a cover of cliques: Gramm et al. 2007, "Algorithms for compact letter displays: comparison and evaluation".
    """
    alike = [{place} for place in range(count)]
    for a, b in combinations(range(count), 2):
        if not told_apart(a, b):
            alike[a].add(b)
            alike[b].add(a)
    letters, lettered = [""] * count, [set[int]() for _ in range(count)]
    groups = 0
    for first in range(count):
        for second in sorted(place for place in alike[first] if place >= first):
            # A run that shares a letter with another one needs none for itself.
            if second in lettered[first] or (second == first and alike[first] != {first}):
                continue
            group = _grow({first, second}, alike)
            for place in group:
                letters[place] += _name(groups)
                lettered[place] |= group
            groups += 1
    return letters


def _grow(group: set[int], alike: list[set[int]]) -> set[int]:
    """Return the group with every run, in the runs' order, that is like all that are in it."""
    members = set(group)
    for place in sorted(set.intersection(*(alike[each] for each in group))):
        if members <= alike[place]:
            members.add(place)
    return members


def _name(number: int) -> str:
    rounds, place = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[place] + (str(rounds + 1) if rounds else "")
