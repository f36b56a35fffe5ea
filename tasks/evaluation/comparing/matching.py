"""Which questions of several runs are the same.

Questions are matched by their content: the text with its choices, and the reference answer. Their numbers, order and files do
not matter. Of identical questions in one run, the first in the order of their numbers is matched with the first of the other
run, the second with the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from tasks.evaluation.comparing.columns import Digests, RunColumns
from tasks.evaluation.questions.copies import count_copies
from tasks.evaluation.statistics.arrays import Codes


@dataclass(frozen=True)
class Matching:
    """The questions that all runs have scored."""

    rows: tuple[Codes, ...]
    """For each run, the row of each common question: the n-th rows of all runs are one question, by its number in
    the first run."""
    shared: tuple[tuple[int, ...], ...]
    """How many questions each run has in common with each, itself included."""

    @property
    def count(self) -> int:
        """Return the number of common questions."""
        return len(self.rows[0])


def match_runs(runs: Sequence[RunColumns]) -> Matching:
    """Return which questions are scored in all runs."""
    keys = number_questions([run.digests for run in runs], [run.question_ids for run in runs])
    common = reduce(np.intersect1d, keys)
    first = np.flatnonzero(np.isin(keys[0], common))
    wanted = keys[0][first[np.argsort(runs[0].question_ids[first], kind="stable")]]
    rows = tuple(_find_rows(run_keys, wanted) for run_keys in keys)
    shared = tuple(tuple(len(np.intersect1d(a, b, assume_unique=True)) for b in keys) for a in keys)
    return Matching(rows, shared)


def number_questions(digests: Sequence[Digests], question_ids: Sequence[Codes]) -> list[Codes]:
    """Return a number for each question of each run, equal for the same question in all runs, and unique within a run.

    Args:
        digests: for each run, the digests of its questions' contents.
        question_ids: for each run, the questions' numbers.
    """
    _, contents = np.unique(np.concatenate(digests), return_inverse=True)
    parts = np.split(contents, np.cumsum([len(each) for each in digests])[:-1])
    copies = [count_copies(content, np.lexsort((ids, content))) for content, ids in zip(parts, question_ids, strict=True)]
    most = 1 + max((int(copy.max(initial=0)) for copy in copies), default=0)
    return [content * most + copy for content, copy in zip(parts, copies, strict=True)]


def _find_rows(keys: Codes, wanted: Codes) -> Codes:
    """Return the row of each wanted key; the keys are unique, and hold all that are wanted."""
    order = np.argsort(keys)
    return order[np.searchsorted(keys, wanted, sorter=order)]
