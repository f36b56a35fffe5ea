"""The statistics of a run, computed from its scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.accuracy import Accuracy, measure_scores
from tasks.evaluation.statistics.arrays import Bools, Codes, Floats, Texts
from tasks.evaluation.statistics.calibration import Calibration, measure_calibration
from tasks.evaluation.statistics.chance import compare_with_chance
from tasks.evaluation.statistics.intervals import interval_to_json, is_binary
from tasks.evaluation.statistics.letters import Letters, count_letters
from tasks.evaluation.statistics.repeat_summary import RepeatSummary, RepeatTable, summarize_repeats
from tasks.evaluation.statistics.retrieval_summary import RetrievalSummary, RetrievalTable, summarize_retrieval

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
    clusters: Codes | None
    """The number of the cluster whose questions depend on each other; None if each stands for itself."""
    right: Codes
    """The index in `labels` of the right choice's label; -1 where not exactly one choice is right."""
    chosen: Codes
    """The index in `labels` of the chosen label; -1 for none and for several."""
    labels: Sequence[str]
    """The labels of choices."""
    choice_counts: Codes
    """The number of choices where exactly one is right, else 0."""
    brier: Floats
    """The Brier score of the choices' probabilities; NaN without these."""
    confidences: Floats
    """The probability of the chosen label; NaN without."""
    retrieval: RetrievalTable
    """What was retrieved for each."""
    repeats: RepeatTable
    """The repeats of questions that are asked several times."""


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
    chance: float | None
    """The accuracy of guessing; None unless every scored question has exactly one right choice."""
    is_above_chance: bool | None
    """Whether the accuracy is beyond doubt above that; None without it."""
    bounds: tuple[float, float] | None
    """The accuracy if all questions without a score had been wrong, and if all had been right; None without questions."""
    letters: Letters | None
    """How often each label was right and chosen; None without labels."""
    calibration: Calibration | None
    """How well the probabilities of the choices agree with the scores; None without probabilities."""
    retrieval: RetrievalSummary | None
    """What retrieval has found; None without retrieval."""
    repeats: RepeatSummary | None
    """What the repeats show; None if each question was asked once."""
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
            **interval_to_json(self.overall.interval if self.overall else None),
            "chance": self.chance,
            "above_chance": self.is_above_chance,
            "accuracy_bounds": list(self.bounds) if self.bounds else None,
            "by_format": {name: accuracy.to_json() for name, accuracy in self.by_format.items()},
            "by_group": {name: accuracy.to_json() for name, accuracy in self.by_group.items()},
            "no_choice": self.no_choice,
            "clarified": self.clarified,
            "clarified_named": self.clarified_named,
            "truncated": self.truncated,
            "f1": self.f1,
            "letters": self.letters.to_json() if self.letters else None,
            "calibration": self.calibration.to_json() if self.calibration else None,
            **({"retrieval": self.retrieval.to_json()} if self.retrieval else {}),
            "repeats": self.repeats.to_json() if self.repeats else None,
            "by_position": [row.to_json() for row in self.repeats.by_position] if self.repeats else None,
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
    scores, f1 = table.scores[is_scored], table.f1[is_scored & ~np.isnan(table.f1)]
    clusters = None if table.clusters is None else table.clusters[is_scored]
    overall = _measure(table, is_scored)
    chance, is_above_chance = _compare_with_chance(table, is_scored, overall) if overall else (None, None)
    return Statistics(
        selected=selected,
        overall=overall,
        by_format=_measure_formats(table, is_scored),
        by_group=_measure_groups(table, is_scored),
        no_choice=int(table.no_choice[is_scored].sum()),
        clarified=int(table.clarified[is_scored].sum()),
        clarified_named=int((table.clarified & ~table.no_choice)[is_scored].sum()),
        truncated=int(table.truncated[is_scored].sum()),
        f1=float(f1.mean()) if len(f1) else None,
        chance=chance,
        is_above_chance=is_above_chance,
        bounds=_find_bounds(float(scores.sum()), len(scores), selected) if selected else None,
        letters=_count_letters(table, is_scored),
        calibration=measure_calibration(table.brier[is_scored], table.confidences[is_scored], scores),
        retrieval=summarize_retrieval(
            table.retrieval.select(is_scored), scores, clusters, (table.groups[is_scored], table.group_names)
        ),
        repeats=summarize_repeats(table.repeats.select(is_scored), table.right[is_scored], clusters),
        refused=count - len(scores) - unusable,
        unusable=unusable,
        unscored=selected - count,
    )


def _measure(table: ScoreTable, is_chosen: Bools) -> Accuracy | None:
    """Return the accuracy of the chosen rows."""
    clusters = None if table.clusters is None else table.clusters[is_chosen]
    return measure_scores(table.scores[is_chosen], clusters)


def _find_bounds(right: float, scored: int, selected: int) -> tuple[float, float]:
    return right / selected, (right + selected - scored) / selected


def _compare_with_chance(table: ScoreTable, is_scored: Bools, overall: Accuracy) -> tuple[float | None, bool | None]:
    """Return the accuracy of guessing, and whether the scores are above it.

    That is exact if each score is 0 or 1 and stands for itself; else the interval decides.
    """
    choice_counts = table.choice_counts[is_scored]
    if not choice_counts.all():
        return None, None
    if table.clusters is None and is_binary(table.scores[is_scored]):
        chance = compare_with_chance(round(overall.score_sum), choice_counts)
        return chance.level, chance.is_above
    level = float((1 / choice_counts).mean())
    return level, overall.interval is not None and overall.interval.low > level


def _count_letters(table: ScoreTable, is_scored: Bools) -> Letters | None:
    """Count the labels of each answer; a question that was asked several times has several."""
    right, choices = table.right[is_scored], table.repeats.choices[is_scored]
    if choices.shape[1]:
        return count_letters(np.repeat(right, choices.shape[1]), choices.ravel(), table.labels)
    return count_letters(right, table.chosen[is_scored], table.labels)


def _measure_formats(table: ScoreTable, is_scored: Bools) -> dict[str, Accuracy]:
    """Return the accuracy of each format that has a scored question."""
    measured = {name: _measure(table, is_scored & (table.formats == key)) for key, name in FORMAT_NAMES.items()}
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
    clusters = [None] * len(parts) if table.clusters is None else np.split(table.clusters[is_scored][order], starts[1:])
    measured = {
        table.group_names[int(code)]: measure_scores(part, own) for code, part, own in zip(codes, parts, clusters, strict=False)
    }
    return {name: accuracy for name, accuracy in sorted(measured.items()) if accuracy}
