"""Several runs held against each other: `compare_runs` is the way in, `Comparison` what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.comparing.columns import NO_VALUE, RunColumns, WantedFields, read_columns
from tasks.evaluation.comparing.comparability import list_doubts
from tasks.evaluation.comparing.matching import Matching, match_runs
from tasks.evaluation.comparing.pairs import Pair, SharedScores, compare_pairs
from tasks.evaluation.comparing.run_figures import ComparedRun, has_chance, measure_run
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting
from tasks.evaluation.statistics.arrays import Codes
from tasks.evaluation.statistics.families import group_leaders

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """What several runs show beside each other."""

    runs: tuple[ComparedRun, ...]
    """The runs' own figures, in the order given."""
    common: int
    """The number of questions that all runs have scored."""
    pairs: tuple[Pair, ...]
    """Every two runs, the one given first as a; empty for one run."""
    leaderboard: tuple[tuple[str, ...], ...]
    """The runs' names, the best first, in groups that cannot be told apart."""
    doubts: tuple[str, ...]
    """A sentence for each reason why the runs differ in more than their models."""
    group_by: str | None
    """The field that the differences are broken down by; None: they are not."""
    cluster_by: str | None
    """The field whose values are clusters; None: each question is one of its own."""
    confidence: float
    """The confidence of the intervals; a verdict is given where p is below what is left to 1."""
    columns: tuple[RunColumns, ...]
    """The runs' scores."""
    matching: Matching
    """Which of their questions are the same."""
    shared: SharedScores
    """The scores of the common questions."""

    def to_json(self) -> JsonObject:
        """Return the comparison as files hold it."""
        return {
            "runs": [run.to_json() for run in self.runs],
            "common": self.common,
            "pairs": [pair.to_json() for pair in self.pairs],
            "leaderboard": [list(names) for names in self.leaderboard],
        }


def compare_runs(
    runs: Sequence[SavedRun], *, group_by: str | None = None, cluster_by: str | None = None, confidence: float = CONFIDENCE
) -> Comparison:
    """Return what the runs show beside each other; a single run has figures, and no pairs.

    Args:
        runs: the runs, each with a name of its own.
        group_by: the field to break the differences down by; None: the first that the runs themselves were grouped by.
        cluster_by: the field whose values are clusters; None: the first that the runs themselves had.
        confidence: of the intervals, between 0 and 1.

    Raises:
        UserMistake: a file is damaged, no question is scored in all runs, or no record has a field that was asked for.
    """
    group_field, cluster_field = group_by or find_field(runs, "group_by"), cluster_by or find_field(runs, "cluster_by")
    columns = [read_columns(run, WantedFields(group_field, cluster_field, choice_counts=not has_chance(run))) for run in runs]
    for field, codes in ((group_by, [each.groups for each in columns]), (cluster_by, [each.clusters for each in columns])):
        _require_field(field, codes)
    matching = match_runs(columns)
    if not matching.count:
        raise UserMistake(_explain_nothing_shared(runs, columns))
    figures = [
        measure_run(run, each, single_out(each.clusters), confidence=confidence)
        for run, each in zip(runs, columns, strict=True)
    ]
    shared = _share(columns, matching)
    pairs = compare_pairs(figures, shared, matching.shared, confidence=confidence)
    return Comparison(
        runs=tuple(figures),
        common=matching.count,
        pairs=tuple(pairs),
        leaderboard=rank(figures, shared, pairs),
        doubts=tuple(list_doubts(runs, columns, figures, matching.shared)),
        group_by=group_field if shared.group_names else None,
        cluster_by=cluster_field if shared.clusters is not None else None,
        confidence=confidence,
        columns=tuple(columns),
        matching=matching,
        shared=shared,
    )


def find_field(runs: Sequence[SavedRun], setting: str) -> str | None:
    """Return the field that the first run which has the setting names in its block `fields`; None if none does."""
    named = (read_setting(run.config, "fields", setting) for run in runs)
    return next((name for name in named if isinstance(name, str) and name), None)


def rank(runs: Sequence[ComparedRun], shared: SharedScores, pairs: Sequence[Pair]) -> tuple[tuple[str, ...], ...]:
    """Return the runs' names by their accuracy on the common questions, in groups that cannot be told apart."""
    told_apart = {frozenset((pair.a, pair.b)) for pair in pairs if pair.verdict != "cannot tell"}
    means = {run.name: float(scores.mean()) for run, scores in zip(runs, shared.scores, strict=True)}
    return tuple(map(tuple, group_leaders(means, lambda a, b: frozenset((a, b)) in told_apart)))


def _require_field(field: str | None, codes: Sequence[Codes]) -> None:
    if field and all((each == NO_VALUE).all() for each in codes):
        raise UserMistake(
            f"no record has the field {field!r}; a result carries the fields of its question under `fields`, "
            "which `fields.carried` in the configuration can restrict"
        )


def _explain_nothing_shared(runs: Sequence[SavedRun], columns: Sequence[RunColumns]) -> str:
    for run, each in zip(runs, columns, strict=True):
        if not len(each):
            return f"nothing to compare: {run.path} holds no scored question"
    counts = ", ".join(
        f"{run.name} {len(each):,} of {run.questions_file or run.path}" for run, each in zip(runs, columns, strict=True)
    )
    return f"nothing to compare: no question is scored in all of these runs, by its text and reference answer ({counts})"


def _share(columns: Sequence[RunColumns], matching: Matching) -> SharedScores:
    """Return the scores of the common questions, with the groups and clusters that the first run which has them gives."""
    rows = matching.rows
    names = tuple(dict.fromkeys(name for each in columns for name in each.group_names))
    groups = _take_first([_recode(each, names)[row] for each, row in zip(columns, rows, strict=True)])
    if names and (groups == NO_VALUE).any():
        names, groups = (*names, ""), np.where(groups == NO_VALUE, len(names), groups)
    clusters = _take_first([each.clusters[row] for each, row in zip(columns, rows, strict=True)])
    scores = tuple(each.scores[row] for each, row in zip(columns, rows, strict=True))
    return SharedScores(scores, single_out(clusters), groups, names)


def _recode(columns: RunColumns, names: Sequence[str]) -> Codes:
    """Return the run's groups as places in the names of all runs' groups."""
    codes = np.array([*(names.index(name) for name in columns.group_names), NO_VALUE], dtype=np.int64)
    return codes[columns.groups]  # NO_VALUE is -1, and so leads to the last


def _take_first(codes: Sequence[Codes]) -> Codes:
    """Return for each question the first code that is a value."""
    taken = codes[0]
    for each in codes[1:]:
        taken = np.where(taken == NO_VALUE, each, taken)
    return taken


def single_out(clusters: Codes) -> Codes | None:
    """Return the clusters, with a question that has none in one of its own; None if no question has one."""
    is_alone = clusters == NO_VALUE
    if is_alone.all():
        return None
    return np.where(is_alone, NO_VALUE - 1 - np.arange(len(clusters)), clusters)
