"""Several comparisons at once: adjusted p-values, and groups of runs that cannot be told apart."""

from collections.abc import Callable, Mapping, Sequence


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number, in the same order: one below 0.05 still means what it means alone.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def group_leaders(accuracies: Mapping[str, float], told_apart: Callable[[str, str], bool]) -> list[list[str]]:
    """Return the runs in groups, the best first: each run joins the group before it unless it differs from that group's best.

    Two neighbours in different groups may be hard to tell apart themselves: a group is all that its best cannot be told from.

    Args:
        accuracies: each run's accuracy, by its name.
        told_apart: whether two runs, by their names, can be told apart.
    """
    groups: list[list[str]] = []
    for name in sorted(accuracies, key=lambda name: (-accuracies[name], name)):
        if groups and not told_apart(groups[-1][0], name):
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups
