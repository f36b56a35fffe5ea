"""What runs that are resumed after a crash have found and done, noted for every tree that is the same to them."""

from collections import defaultdict
from dataclasses import dataclass

from tests.support.crash_disk import Promise
from tests.support.crash_tree import Tree


@dataclass(frozen=True)
class Outcome:
    """What a resumed run has found, asked and graded.

    Args:
        saved_count: the number of results in the checkpoint that was there; -1: there was none.
        asked: the positions of the questions that were asked.
        graded: the positions of those whose answers were graded.
    """

    saved_count: int
    asked: tuple[int, ...]
    graded: tuple[int, ...]

    def check(self, promises: set[Promise]) -> None:
        """Check that what was promised was there."""
        assert max((number for what, number in promises if what == "saved"), default=-1) <= self.saved_count
        assert promises & {("answer", position) for position in self.asked} == set()
        assert promises & {("grade", position) for position in self.graded} == set()


class Outcomes:
    """The outcomes of resumed runs; a tree has that of another one if both are the same to the run.

    They are the same if they differ only in the contents of files that the run never opens.
    """

    def __init__(self) -> None:
        self._known: dict[Tree, list[tuple[set[str], Tree, Outcome]]] = defaultdict(list)

    def find(self, tree: Tree) -> Outcome | None:
        """Return the outcome of a tree that is the same to the resumed run."""
        known = self._known[tree.keep_contents(set())]
        return next((outcome for opened, same, outcome in known if tree.keep_contents(opened) == same), None)

    def add(self, tree: Tree, opened: set[str], outcome: Outcome) -> None:
        """Note the outcome of a run that has opened these files of the tree."""
        self._known[tree.keep_contents(set())].append((opened, tree.keep_contents(opened), outcome))
