"""The page's rows: each question of any run once, with its place in every run that has it.

Questions are matched by their content, as in a comparison: the text with its choices, and the reference answer. The record of
a refused question has no reference answer; it is taken for the scored question with the same text, if another run has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.comparing.columns import Digests
from tasks.evaluation.comparing.matching import number_questions
from tasks.evaluation.pages.run_sheets import FULL_SCORE, RunSheet
from tasks.evaluation.statistics.arrays import Codes

NOWHERE = -1
CodeTable = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(frozen=True)
class QuestionRows:
    """Every question, those of the first run in the order of their numbers, then what only later runs have."""

    places: CodeTable
    """A row for each question and a column for each run: the place of its record, or `NOWHERE`."""
    homes: Codes
    """The first run that has the question: the one that numbers it."""
    numbers: Codes
    """Its number in that run."""

    def __len__(self) -> int:
        return len(self.homes)


def line_up(sheets: Sequence[RunSheet]) -> QuestionRows:
    """Return the questions of all runs."""
    keys = number_questions(_complete(sheets), [sheet.numbers for sheet in sheets])
    every = np.unique(np.concatenate(keys))
    places = np.full((len(every), len(sheets)), NOWHERE, dtype=np.int64)
    for run, own in enumerate(keys):
        places[np.searchsorted(every, own), run] = np.arange(len(own))
    homes = (places != NOWHERE).argmax(axis=1).astype(np.int64)
    numbers = np.zeros(len(every), dtype=np.int64)
    for run, sheet in enumerate(sheets):
        is_home = homes == run
        numbers[is_home] = sheet.numbers[places[is_home, run]]
    order = np.lexsort((numbers, homes))
    return QuestionRows(places[order], homes[order], numbers[order])


def _complete(sheets: Sequence[RunSheet]) -> list[Digests]:
    """Return the digests of the questions' contents, those of refused questions taken from scored ones with the same text."""
    texts = np.concatenate([sheet.questions for sheet in sheets])
    contents = np.concatenate([sheet.contents for sheet in sheets])
    is_scored = np.concatenate([sheet.outcomes for sheet in sheets]) <= FULL_SCORE
    known, first = np.unique(texts[is_scored], return_index=True)
    if len(known):
        at = np.minimum(np.searchsorted(known, texts), len(known) - 1)
        is_found = ~is_scored & (known[at] == texts)
        contents[is_found] = contents[is_scored][first[at[is_found]]]
    return np.split(contents, np.cumsum([len(sheet) for sheet in sheets])[:-1])
