"""The decisions in a reply: the passages that settle on a choice, or on none (`decision_patterns` says how they are worded)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tasks.evaluation.extraction.decision_patterns import (
    ALTERNATIVES,
    NONE_SIGNS,
    REACH,
    Kind,
    list_lead_patterns,
    list_none_patterns,
    list_patterns,
)
from tasks.evaluation.extraction.doubts import is_doubtful
from tasks.evaluation.extraction.marks import ANY_MARK, find_surroundings, read_marks
from tasks.evaluation.extraction.plain_text import fold_case


@dataclass(frozen=True)
class Decision:
    """A passage that decides."""

    match: re.Match[str]
    """What decides; it names its choices as `chosen`."""
    kind: Kind
    """How firmly it is worded."""
    is_doubtful: bool
    """True if it is another's, a condition's, or for something other than the answer."""

    @property
    def start(self) -> int:
        """Return where its choices stand in the text."""
        return self.match.start("chosen")

    @property
    def end(self) -> int:
        """Return where it ends."""
        return self.match.end()

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Return its choices as positions in the question; none if it decides for none, or leaves it open."""
        chosen = self.match["chosen"]
        return () if ALTERNATIVES.search(chosen) else tuple(read_marks(chosen))


def find_decisions(marked: str) -> list[Decision]:
    """Return the text's decisions in order, the firmest one for each place in the text."""
    found: dict[int, Decision] = {}
    for kind, match in sorted(_match_all(marked), key=_rank, reverse=True):
        known = found.get(match.start("chosen"))
        if known is None or known.is_doubtful:
            decision = Decision(match, kind, is_doubtful(match))
            if known is None or not decision.is_doubtful:
                found[decision.start] = decision
    return [found[start] for start in sorted(found)]


def _rank(found: tuple[Kind, re.Match[str]]) -> tuple[Kind, int]:
    """Return the rank by which one decision is preferred to another at the same place: firmer words, then more choices."""
    kind, match = found
    return kind, len(match["chosen"])


def find_last_form(marked: str) -> Decision | None:
    """Return the line in the requested form that ends the text; None if the text does not end with its only one."""
    lowered, line_start, (_, form) = fold_case(marked), marked.rfind("\n") + 1, list_patterns()[-1]
    last = next(form.finditer(lowered, line_start), None)
    if last is None or marked[last.end() :].strip(" .!*)\"'") or form.search(lowered, 0, line_start):
        return None
    return Decision(last, Kind.FORM, is_doubtful=False)


def _match_all(marked: str) -> Iterator[tuple[Kind, re.Match[str]]]:
    lowered = fold_case(marked)
    for start, end in find_surroundings(lowered, ANY_MARK, REACH):
        for kind, pattern in list_patterns():
            for match in pattern.finditer(lowered, start, end):
                yield kind, match
    for kind, pattern in list_lead_patterns():
        if leading := pattern.match(marked):
            yield kind, leading
    for kind, pattern in list_none_patterns() if any(sign in lowered for sign in NONE_SIGNS) else ():
        for match in pattern.finditer(lowered):
            yield kind, match
