"""The statistics of a saved run, computed from its records: they agree with those that the run itself has recorded."""

import numpy as np

from tasks.evaluation.comparing.columns import NO_VALUE, RunColumns
from tasks.evaluation.comparing.comparison import single_out
from tasks.evaluation.pages.run_sheets import CLARIFIED, NO_CHOICE, TRUNCATED, RunSheet
from tasks.evaluation.statistics.repeat_summary import RepeatTable
from tasks.evaluation.statistics.summary import ScoreTable, Statistics, summarize


def compute_run_statistics(sheet: RunSheet, columns: RunColumns) -> Statistics:
    """Return the statistics of the run's scored questions, but for the chance level and for what has no score.

    Args:
        sheet: the run's records.
        columns: its scored questions.
    """
    places, scores, marks = columns.places, sheet.scores, sheet.marks[columns.places]
    is_grouped = bool((columns.groups != NO_VALUE).any())
    table = ScoreTable(
        scores=columns.scores,
        formats=sheet.formats[places],
        no_choice=(marks & NO_CHOICE) > 0,
        clarified=(marks & CLARIFIED) > 0,
        truncated=(marks & TRUNCATED) > 0,
        f1=scores.f1.pick(places),
        groups=np.where(columns.groups == NO_VALUE, len(columns.group_names), columns.groups),
        group_names=(*columns.group_names, "") if is_grouped else (),
        clusters=single_out(columns.clusters),
        right=scores.key.right[places].astype(np.int64),
        chosen=scores.chosen[places].astype(np.int64),
        labels=scores.key.labels,
        choice_counts=np.zeros(len(places), dtype=np.int64),
        brier=scores.brier.pick(places),
        confidences=scores.confidences.pick(places),
        retrieval=scores.retrieval.pick(places),
        repeats=RepeatTable(
            scores.repeat_scores[places].astype(np.float64),
            scores.repeat_choices[places].astype(np.int64),
            scores.right_places[places].astype(np.int64),
        ),
    )
    return summarize(table, selected=len(places), unusable=0)
