"""The statistics of a run, computed from its scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.accuracy import Accuracy, measure_scores
from tasks.evaluation.statistics.arrays import Bools, Codes, Floats, Texts

FORMAT_NAMES = {"m": "Multiple choice", "q": "Short answers"}


@dataclass(frozen=True)
class ScoreTable:
    """The finished questions of a run, one row each in any order; every column has the same length."""

    scores: Floats
    """The score, from 0 to 1; NaN for a question that was refused or cannot be asked."""
    formats: Texts
    """`m` for multiple choice, `q` for a short answer, `-` for an entry that cannot be asked."""
    no_choice: Bools
    """Whether the answer chose nothing."""
    clarified: Bools
    """Whether the model was asked which choice it meant."""
    truncated: Bools
    """Whether the answer was cut at the token limit."""
    f1: Floats
    """The token F1 of a short answer; NaN for a question without one."""
    groups: Codes
    """The index of the question's group in `group_names`; meaningless if there are no groups."""
    group_names: Sequence[str]
    """The values of the field that the questions are grouped by."""


@dataclass(frozen=True)
class Statistics:
    """A run's accuracy over all questions, by format and by group, and what does not count or stands out."""

    selected: int
    """The number of questions selected."""
    overall: Accuracy | None
    """The accuracy over all scored questions; None if nothing was scored."""
    by_format: Mapping[str, Accuracy]
    """The accuracy of each format, by its name for people."""
    by_group: Mapping[str, Accuracy]
    """The accuracy of each group, by name; empty if there are no groups."""
    clarified: int
    """The number of answers for which the model was asked which choice it meant."""
    clarified_named: int
    """The number of these for which it named one."""
    no_choice: int
    """The number of answers to multiple-choice questions that chose nothing; they are scored."""
    truncated: int
    """The number of answers that were cut at the token limit; they are scored."""
    f1: float | None
    """The mean token F1 of short answers without a grader; None if there are no such answers."""
    refused: int
    """The number of questions that the endpoint refused."""
    unusable: int
    """The number of entries that cannot be asked."""
    unscored: int
    """The number of questions that are not finished."""

    def to_json(self) -> JsonObject:
        """Return the statistics as files hold them."""
        return {
            "selected": self.selected,
            "scored": self.overall.count if self.overall else 0,
            "accuracy": self.overall.accuracy if self.overall else None,
            "standard_error": self.overall.standard_error if self.overall else None,
            "by_format": {name: accuracy.to_json() for name, accuracy in self.by_format.items()},
            "by_group": {name: accuracy.to_json() for name, accuracy in self.by_group.items()},
            "no_choice": self.no_choice,
            "clarified": self.clarified,
            "clarified_named": self.clarified_named,
            "truncated": self.truncated,
            "f1": self.f1,
            "refused": self.refused,
            "unusable": self.unusable,
            "unscored": self.unscored,
        }


def summarize(table: ScoreTable, *, selected: int, unusable: int) -> Statistics:
    """Return the statistics of the finished questions.

    Args:
        table: the finished questions.
        selected: the number of questions selected, finished or not.
        unusable: the number of rows whose entries cannot be asked.
    """
    count = len(table.scores)
    is_scored = ~np.isnan(table.scores)
    f1 = table.f1[is_scored & ~np.isnan(table.f1)]
    return Statistics(
        selected=selected,
        overall=measure_scores(table.scores[is_scored]),
        by_format=_measure_formats(table, is_scored),
        by_group=_measure_groups(table, is_scored),
        no_choice=int(table.no_choice[is_scored].sum()),
        clarified=int(table.clarified[is_scored].sum()),
        clarified_named=int((table.clarified & ~table.no_choice)[is_scored].sum()),
        truncated=int(table.truncated[is_scored].sum()),
        f1=float(f1.mean()) if len(f1) else None,
        refused=count - int(is_scored.sum()) - unusable,
        unusable=unusable,
        unscored=selected - count,
    )


def _measure_formats(table: ScoreTable, is_scored: Bools) -> dict[str, Accuracy]:
    """Return the accuracy of each format that has a scored question."""
    measured = {name: measure_scores(table.scores[is_scored & (table.formats == key)]) for key, name in FORMAT_NAMES.items()}
    return {name: accuracy for name, accuracy in measured.items() if accuracy}


def _measure_groups(table: ScoreTable, is_scored: Bools) -> dict[str, Accuracy]:
    """Return the accuracy of each group that has a scored question, in the order of their names."""
    if not table.group_names:
        return {}
    # Sorted once, so that each group is one slice, however many groups there are.
    order = np.argsort(table.groups[is_scored], kind="stable")
    groups, scores = table.groups[is_scored][order], table.scores[is_scored][order]
    codes, starts = np.unique(groups, return_index=True)
    parts = np.split(scores, starts[1:])
    measured = {table.group_names[int(code)]: measure_scores(part) for code, part in zip(codes, parts, strict=False)}
    return {name: accuracy for name, accuracy in sorted(measured.items()) if accuracy}
