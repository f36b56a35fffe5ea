"""The scores of runs that measure the same, question by question.

Such runs have the same questions in the same order, so the n-th score of each belongs to the same question, and nothing has to
be matched. The files are read one after another, so that memory does not grow with the number of runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.comparing.columns import NO_VALUE, WantedFields, read_columns
from tasks.evaluation.comparing.comparison import find_field, single_out
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.history.past_runs import PastRun
from tasks.evaluation.statistics.arrays import Codes, Floats

MOST_QUESTIONS = 100_000_000


@dataclass(frozen=True)
class QuestionScores:
    """A run's score of each question that was selected, and what its questions share."""

    scores: Floats
    """The score; NaN for a question without one."""
    clusters: Codes
    """The cluster of the question; `NO_VALUE` without one."""


@dataclass(frozen=True)
class Shared:
    """The scores of the questions that a run and all earlier ones have scored."""

    own: Floats
    """The run's scores."""
    mean: Floats
    """The mean of the earlier runs' scores."""
    clusters: Codes | None
    """The cluster of each question; None: each is one of its own."""


def read_scores(run: PastRun) -> QuestionScores:
    """Return the run's scores.

    Raises:
        UserMistake: the file is damaged.
    """
    cluster_by = find_field([run.saved], "cluster_by")
    columns = read_columns(run.saved, WantedFields(cluster_by=cluster_by))
    count = _read_count(run)
    scores, clusters = np.full(count, np.nan), np.full(count, NO_VALUE, dtype=np.int64)
    rows = np.flatnonzero((columns.question_ids > 0) & (columns.question_ids <= count))
    places = columns.question_ids[rows] - 1
    scores[places], clusters[places] = columns.scores[rows], columns.clusters[rows]
    return QuestionScores(scores, clusters)


def read_mean(runs: Sequence[PastRun]) -> Floats:
    """Return the mean of the runs' scores for each question; NaN for one that a run has not scored.

    Raises:
        UserMistake: a file is damaged.
    """
    total = read_scores(runs[0]).scores
    for run in runs[1:]:
        scores = read_scores(run).scores
        if len(scores) != len(total):
            raise UserMistake(
                f"cannot read {run.saved.path}: {len(scores):,} questions, and not {len(total):,} as runs before it"
            )
        total = total + scores
    return total / len(runs)


def share(own: QuestionScores, mean: Floats) -> Shared | None:
    """Return the scores of the questions that have both; None if no question has both, or if one has other questions."""
    if len(own.scores) != len(mean):
        return None
    rows = np.flatnonzero(np.isfinite(own.scores) & np.isfinite(mean))
    return Shared(own.scores[rows], mean[rows], single_out(own.clusters[rows])) if len(rows) else None


def _read_count(run: PastRun) -> int:
    """Return the number of questions that the run selected; what no run can have selected must not fill the memory."""
    count = run.saved.selected_count or 0
    if not 0 <= count <= MOST_QUESTIONS:
        raise UserMistake(f"cannot read {run.saved.path}: it says that {count:,} questions were selected")
    return count
