"""Why cells are not finished, in one sentence: cells that share a reason are named together."""

import re
from collections.abc import Iterable

# A line names no more cells for a reason, and gives no more reasons: each was said in full when its cell ended.
MOST_CELLS, MOST_REASONS = 4, 3
LONGEST_REASON = 160
# How many questions it is differs from cell to cell where the reason does not.
COUNT = re.compile(r"^[\d,]+ of [\d,]+ questions not scored: ")


def group_by_reason(cells: Iterable[tuple[str, str]]) -> str:
    """Return the cells with their reasons, the reason of most cells first.

    Args:
        cells: the name of each cell, and why it is not finished.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, message in cells:
        groups.setdefault(COUNT.sub("", message), []).append((name, message))
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    # The only cell with a reason keeps its count.
    parts = [_describe([name for name, _ in own], own[0][1] if len(own) == 1 else reason) for reason, own in ordered]
    if len(groups) > 1:
        parts = [f"{len(own):,} cells: {part}" if len(own) > 1 else part for part, (_, own) in zip(parts, ordered, strict=True)]
    left = sum(len(own) for _, own in ordered[MOST_REASONS:])
    more = [f"{left:,} more cell{'' if left == 1 else 's'} for other reasons"] if left else []
    return "; ".join([*parts[:MOST_REASONS], *more])


def _describe(names: list[str], reason: str) -> str:
    cut = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON].rstrip()}…"
    left = len(names) - MOST_CELLS
    more = f" and {left:,} more" if left > 0 else ""
    return f"{', '.join(names[:MOST_CELLS])}{more} ({cut})"
