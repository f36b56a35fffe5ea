"""Why cells are not finished, in one sentence: cells that share a reason are named together."""

import re
from collections.abc import Iterable

# A line names no more cells for a reason, and gives no more reasons: each was said in full when its cell ended.
MOST_CELLS, MOST_REASONS = 4, 3
LONGEST_REASON = 160
# The count differs from cell to cell even where the reason is the same.
COUNT = re.compile(r"^[\d,]+ of [\d,]+ questions not scored: ")


def group_by_reason(cells: Iterable[tuple[str, str]]) -> str:
    """Return the cells with their reasons, the reason of most cells first.

    Args:
        cells: the name of each cell, and why it is not finished.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, message in cells:
        groups.setdefault(COUNT.sub("", message), []).append((name, message))
    ordered = sorted(groups.values(), key=len, reverse=True)
    left = sum(map(len, ordered[MOST_REASONS:]))
    more = [f"{left:,} more cell{'' if left == 1 else 's'} for other reasons"] if left else []
    return "; ".join([*(_describe(group, is_only=len(groups) == 1) for group in ordered[:MOST_REASONS]), *more])


def _describe(group: list[tuple[str, str]], *, is_only: bool) -> str:
    """Return cells with the reason that they share; that of a single one keeps its count."""
    names, reason = [name for name, _ in group], group[0][1]
    if len(group) > 1:
        reason = COUNT.sub("", reason)
    cut = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON].rstrip()}…"
    count = f"{len(group):,} cells: " if len(group) > 1 and not is_only else ""
    left = len(names) - MOST_CELLS
    more = f" and {left:,} more" if left > 0 else ""
    return f"{count}{', '.join(names[:MOST_CELLS])}{more} ({cut})"
