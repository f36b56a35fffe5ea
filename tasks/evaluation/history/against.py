"""A finished run against the history of its evaluation: the run before it, and the baseline that its first runs make.

    found = find_standing(results, baseline_runs=5, alarm_runs=30)

The comparison with the run before says what a single step shows. It is no alarm: a model that answers differently each time is
two points below yesterday in nine months of ten. Each run is therefore also compared with the mean of the evaluation's first
runs, question by question, and a drop is one that chance would show in at most one of twenty series of `alarm_runs` runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tasks.evaluation.comparing.pairs import Pair, pair_scores
from tasks.evaluation.comparing.sentences import count_questions, decide, format_ends, format_p, format_points, reverse
from tasks.evaluation.history.evaluations import Entry, Mark, read_history
from tasks.evaluation.history.past_runs import PastRun
from tasks.evaluation.history.scores import QuestionScores, read_mean, read_scores, share
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.statistics.paired import Difference, compare_scores

# How often a series of runs without any change may raise an alarm.
FALSE_ALARMS = 0.05
CONFIDENCE = 0.95
THIS_RUN = "this run"


@dataclass(frozen=True)
class Against:
    """A run against one earlier run, or against the mean of several, on the questions that all have scored."""

    runs: tuple[PastRun, ...]
    """The earlier runs."""
    n: int
    """The number of common questions."""
    found: Difference
    """This run's accuracy less that of the earlier ones, with its 95 % interval."""
    is_drop: bool
    """True if this run is worse beyond doubt: at p < 0.05 against one run, at p < 0.05 / alarm_runs against a baseline."""
    sentence: str
    """The sentence that decides."""

    def to_json(self) -> JsonObject:
        """Return it as events and files hold it."""
        ends = self.found.low is not None and self.found.high is not None
        return {
            "runs": [run.run_id for run in self.runs],
            "n": self.n,
            "difference": self.found.difference,
            "interval": [self.found.low, self.found.high] if ends else None,
            "p": self.found.p,
            "is_drop": self.is_drop,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class Standing:
    """How a run stands in the history of its evaluation."""

    run: PastRun
    """The run."""
    mark: Mark
    """Why it does not count in the history, and is held against nothing; empty if it does."""
    previous: Against | None
    """Against the run before it; None for the first."""
    baseline: Against | None
    """Against the mean of the first runs; None while they are too few."""
    baseline_count: int
    """The number of runs that the baseline is made of so far, this one included if it is one of them."""
    baseline_runs: int
    """The number of runs that make a baseline."""

    @property
    def has_dropped(self) -> bool:
        """Return True if the accuracy is below the baseline beyond doubt."""
        return self.baseline is not None and self.baseline.is_drop

    @property
    def sentences(self) -> list[str]:
        """Return a sentence for each: against the run before, and against the baseline; one alone if there is neither."""
        if self.mark:
            return [f"Held against no other run: {explain_mark(self.mark)}"]
        before = self.previous.sentence if self.previous else "This is the first run of its evaluation"
        if self.baseline:
            return [before, self.baseline.sentence]
        made = f"run {self.baseline_count} of the {self.baseline_runs} that it is made of"
        return [before, f"The baseline is still being made: this is {made}"]


def find_standing(results: Path, *, baseline_runs: int, alarm_runs: int) -> Standing | None:
    """Return how the run in the results file stands among those in its folder; None if it is not in their history.

    The files of the runs that it is held against are read whole, one after another.

    Args:
        results: the run's results file.
        baseline_runs: the number of first runs whose mean is the baseline.
        alarm_runs: the number of runs in which chance may raise an alarm once in twenty times.

    Raises:
        UserMistake: the folder or one of the files cannot be read.
    """
    history = read_history(results.parent)
    entry = next((each for each in history.entries if each.run.saved.path.name == results.name), None)
    if entry is None:
        return None
    return stand(entry, history.follow(entry.run.history_id), baseline_runs=baseline_runs, alarm_runs=alarm_runs)


def stand(entry: Entry, counted: Sequence[Entry], *, baseline_runs: int, alarm_runs: int) -> Standing:
    """Return how the run stands.

    Args:
        entry: the run.
        counted: the runs of its evaluation that count, the oldest first.
        baseline_runs: as `find_standing`.
        alarm_runs: as `find_standing`.

    Raises:
        UserMistake: a file cannot be read.
    """
    if entry.mark:
        return Standing(entry.run, entry.mark, None, None, 0, baseline_runs)
    first = [each.run for each in counted[:baseline_runs]]
    place = next((place for place, run in enumerate(first, start=1) if run is entry.run), None)
    is_made = len(first) == baseline_runs and place is None
    own = read_scores(entry.run) if entry.before or is_made else None
    return Standing(
        run=entry.run,
        mark=entry.mark,
        previous=_hold_against_one(own, entry.before) if own and entry.before else None,
        baseline=_hold_against_mean(own, first, alarm_runs=alarm_runs) if own and is_made else None,
        baseline_count=place or len(first),
        baseline_runs=baseline_runs,
    )


def explain_mark(mark: Mark) -> str:
    """Return why a run with the mark does not count in its evaluation's history."""
    reasons: dict[Mark, str] = {
        "unfinished": "questions are not scored yet",
        "nothing scored": "no question was scored",
        "limited": "limit cut it short; a sample with random_selection and random_seed is followed",
        "shard": "it is one part of a selection; the run of the whole is followed",
        "answers reused": "its answers are those of an earlier run",
        "": "",
    }
    return reasons[mark]


def _hold_against_one(own: QuestionScores, before: PastRun) -> Against | None:
    """Return a run against the one before it; None if no question is scored in both."""
    shared = share(own, read_mean([before]))
    if shared is None:
        return None
    names = THIS_RUN, f"the run of {before.time:%Y-%m-%d %H:%M}"
    pair = pair_scores(names, shared.own, shared.mean, shared.clusters, confidence=CONFIDENCE)
    sentence = decide(pair, confidence=CONFIDENCE, pair_count=1)
    return Against((before,), pair.n, pair.found, pair.verdict == "b", sentence[0].upper() + sentence[1:])


def _hold_against_mean(own: QuestionScores, earlier: Sequence[PastRun], *, alarm_runs: int) -> Against | None:
    """Return a run against the mean of the earlier ones; None if no question is scored in all."""
    shared = share(own, read_mean(earlier))
    if shared is None:
        return None
    name = f"the mean of the first {len(earlier)} runs" if len(earlier) > 1 else "the first run"
    confidence = 1 - FALSE_ALARMS / alarm_runs
    pair = pair_scores((THIS_RUN, name), shared.own, shared.mean, shared.clusters, confidence=confidence)
    found = compare_scores(shared.own, shared.mean, shared.clusters, confidence=CONFIDENCE)
    is_whole = pair.n == np.isfinite(own.scores).sum()
    on = "" if is_whole else f" on the {count_questions(pair.n)} that all have scored"
    return Against(
        tuple(earlier), pair.n, found, pair.verdict == "b", _decide_drop(replace(pair, found=found, b=f"{name}{on}"))
    )


def _decide_drop(pair: Pair) -> str:
    """Return the sentence that says whether the first of the pair has dropped below the second."""
    found = pair.found
    shown, relation = (reverse(found), "below") if found.difference < 0 else (found, "above")
    ends = format_ends(shown, confidence=CONFIDENCE)
    measured = f"{format_points(shown.difference)} points {relation} {pair.b}{ends}, {format_p(found.p)}"
    if pair.verdict != "cannot tell":
        return f"The accuracy has dropped: {measured}" if pair.verdict == "b" else f"No drop: {measured}"
    seen = ""
    if pair.smallest_visible is not None:
        seen = f"; a drop under {format_points(pair.smallest_visible)} points is seen less than four times in five"
    return f"No drop beyond doubt: {measured}{seen}" if found.difference else f"No drop: the accuracy of {pair.b}{seen}"
