"""The figures of one run beside others: its accuracy, what guessing would reach, and what its missing questions could do."""

import math
from dataclasses import dataclass

from tasks.evaluation.comparing.columns import RunColumns
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.cost_report import read_total
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting
from tasks.evaluation.statistics.accuracy import measure_scores
from tasks.evaluation.statistics.arrays import Codes
from tasks.evaluation.statistics.chance import compare_with_chance
from tasks.evaluation.statistics.intervals import Interval, clustered_error, is_binary, measure_interval


@dataclass(frozen=True)
class ComparedRun:
    """A run's figures, over all of its questions."""

    name: str
    """What it is called."""
    path: str
    """Its file."""
    model: str
    """The model's name; empty if the file does not name it."""
    questions_file: str
    """The questions file's path; empty if the file does not name it."""
    selected: int
    """The number of questions selected; those that the file holds, if it does not say."""
    scored: int
    """The number of questions with a score."""
    score_sum: float
    """The sum of the scores."""
    accuracy: float | None
    """Their mean; None without a score."""
    standard_error: float | None
    """The mean's standard error; None for fewer than two questions, or clusters."""
    interval: Interval | None
    """The accuracy's confidence interval; None if the scores are too few for one."""
    chance: float | None
    """The accuracy that guessing reaches; None unless every question is multiple choice with one right choice."""
    is_above_chance: bool | None
    """True if the accuracy is more than guessing is likely to reach; None without a chance level."""
    refused: int
    """The number of questions that the endpoint refused."""
    unusable: int
    """The number of entries that cannot be asked."""
    cost: float | None
    """What the results have cost, in US dollars; None if that is unknown."""

    @property
    def unscored(self) -> int:
        """Return the number of questions that are not finished."""
        return self.selected - self.scored - self.refused - self.unusable

    @property
    def missing_count(self) -> int:
        """Return the number of questions without a score."""
        return self.selected - self.scored

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Return the accuracy if all missing questions had been wrong, and if all had been right; None without a question."""
        if not self.selected:
            return None
        return self.score_sum / self.selected, (self.score_sum + self.missing_count) / self.selected

    def to_json(self) -> JsonObject:
        """Return the figures as files hold them."""
        return {
            "name": self.name,
            "path": self.path,
            "model": self.model,
            "questions_file": self.questions_file,
            "selected": self.selected,
            "scored": self.scored,
            "accuracy": self.accuracy,
            "standard_error": self.standard_error,
            "interval": interval_to_json(self.interval),
            "interval_method": self.interval.method if self.interval else None,
            "chance": self.chance,
            "above_chance": self.is_above_chance,
            "missing": {"refused": self.refused, "unusable": self.unusable, "unscored": self.unscored},
            "accuracy_bounds": list(self.bounds) if self.bounds else None,
            "cost": self.cost,
        }


def interval_to_json(interval: Interval | None) -> JsonValue:
    """Return the interval's two ends; None without one."""
    return [interval.low, interval.high] if interval else None


def measure_run(run: SavedRun, columns: RunColumns, clusters: Codes | None, *, confidence: float) -> ComparedRun:
    """Return the run's figures.

    Args:
        run: the run.
        columns: its scores.
        clusters: the cluster of each scored question; None: each is one of its own.
        confidence: of the interval.
    """
    found = len(columns) + columns.refused + columns.unusable
    accuracy = measure_scores(columns.scores)
    error = accuracy.standard_error if accuracy else None
    chance, is_above = _find_chance(run, columns, confidence=confidence)
    return ComparedRun(
        name=run.name,
        path=str(run.path),
        model=run.model,
        questions_file=run.questions_file,
        selected=max(run.selected_count or 0, found),
        scored=len(columns),
        score_sum=math.fsum(columns.scores),
        accuracy=accuracy.accuracy if accuracy else None,
        standard_error=error if clusters is None else clustered_error(columns.scores, clusters),
        interval=measure_interval(columns.scores, clusters, confidence=confidence) if accuracy else None,
        chance=chance,
        is_above_chance=is_above,
        refused=columns.refused,
        unusable=columns.unusable,
        cost=read_total(run.metadata),
    )


def has_chance(run: SavedRun) -> bool:
    """Return True if the run's file says what guessing would reach, or that it cannot be said."""
    statistics = run.metadata.get("statistics")
    return isinstance(statistics, dict) and "chance" in statistics and "above_chance" in statistics


def _find_chance(run: SavedRun, columns: RunColumns, *, confidence: float) -> tuple[float | None, bool | None]:
    """Return the chance level and whether the accuracy is above it, from the file or else from the questions' choices."""
    if has_chance(run):
        level, is_above = (read_setting(run.metadata, "statistics", name) for name in ("chance", "above_chance"))
        return (
            float(level) if isinstance(level, int | float) else None,
            is_above if isinstance(is_above, bool) else None,
        )
    if not len(columns) or not columns.choice_counts.all() or not is_binary(columns.scores):
        return None, None
    chance = compare_with_chance(int(columns.scores.sum()), columns.choice_counts, confidence=confidence)
    return chance.level, chance.is_above
