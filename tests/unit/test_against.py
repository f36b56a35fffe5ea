"""A run against the history of its evaluation: the run before it, and the baseline that its first runs make."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.history.against import Standing, find_standing
from tests.support.past_runs import save_past_run

COUNT = 90


def draw(seed: int, accuracy: float = 0.7) -> list[float]:
    """Return scores of 0 and 1 with this accuracy in the long run."""
    return [float(score) for score in np.random.default_rng(seed).random(COUNT) < accuracy]


def hold(path: Path, *, baseline_runs: int = 3, alarm_runs: int = 30) -> Standing:
    found = find_standing(path, baseline_runs=baseline_runs, alarm_runs=alarm_runs)
    assert found
    return found


def save_baseline(folder: Path) -> list[list[float]]:
    """Write three runs of the first three days; return their scores."""
    scores = [draw(1), draw(2), draw(3)]
    save_past_run(folder, 1, scores[0])
    save_past_run(folder, 2, scores[1])
    save_past_run(folder, 3, scores[2])
    return scores


def test_the_first_runs_are_the_baseline_in_the_making(tmp_path: Path) -> None:
    """Each says which one it is, and is held against the run before it."""
    first, second = save_past_run(tmp_path, 1, draw(1)), save_past_run(tmp_path, 2, draw(1))
    assert hold(first).sentences == [
        "This is the first run of its evaluation",
        "The baseline is still being made: this is run 1 of the 3 that it is made of",
    ]
    assert hold(second).sentences == [
        "This run and the run of 2026-11-01 02:00 cannot be told apart on these 90 questions: both have the same score on each",
        "The baseline is still being made: this is run 2 of the 3 that it is made of",
    ]
    assert not hold(second).has_dropped


def test_a_run_is_held_against_the_mean_of_the_first_runs_by_paired_t(tmp_path: Path) -> None:
    """Question by question, with scipy as the witness."""
    baseline, own = save_baseline(tmp_path), draw(4)
    found = hold(save_past_run(tmp_path, 4, own)).baseline
    expected = stats.ttest_rel(own, np.mean(baseline, axis=0))
    assert found
    assert found.found.p == pytest.approx(expected.pvalue)
    assert (found.found.low, found.found.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.found.difference == pytest.approx(np.mean(own) - np.mean(baseline))
    assert not found.is_drop
    assert found.sentence.startswith("No drop beyond doubt: ")


def test_clusters_are_allowed_for(tmp_path: Path) -> None:
    """Where questions share a passage, a bad passage is one bad thing and not ten."""
    save_past_run(tmp_path, 1, [1.0] * COUNT, cluster_by="passage")
    path = save_past_run(tmp_path, 2, [0.0] * 20 + [1.0] * (COUNT - 20), cluster_by="passage")
    found = hold(path, baseline_runs=1).baseline
    assert found
    assert found.found.p_method == "clustered-t"
    assert found.found.p == pytest.approx(stats.ttest_1samp([-1, -1, 0, 0, 0, 0, 0, 0, 0], 0).pvalue)
    assert not found.is_drop


def test_a_drop_beyond_doubt_is_called_one(tmp_path: Path) -> None:
    """With its size, its interval and its p-value."""
    save_baseline(tmp_path)
    standing = hold(save_past_run(tmp_path, 4, [0.0] * 60 + [1.0] * 30))
    assert standing.has_dropped
    assert standing.sentences[1] == (
        "The accuracy has dropped: 35.2 points below the mean of the first 3 runs (23.6 to 46.8), p < 0.001"
    )


def test_what_one_comparison_would_call_a_drop_is_none_among_thirty(tmp_path: Path) -> None:
    """p is held against 0.05 / alarm_runs: chance has as many opportunities as there are runs."""
    save_baseline(tmp_path)
    path = save_past_run(tmp_path, 4, [0.0] * 45 + [1.0] * 45)
    strict, lenient = hold(path).baseline, hold(path, alarm_runs=1).baseline
    assert strict
    assert lenient
    assert strict.found == lenient.found
    assert strict.found.p is not None
    assert 0.05 / 30 < strict.found.p < 0.05
    assert (strict.is_drop, lenient.is_drop) == (False, True)


def test_a_rise_is_no_drop(tmp_path: Path) -> None:
    """However sure it is."""
    save_baseline(tmp_path)
    standing = hold(save_past_run(tmp_path, 4, [1.0] * COUNT))
    assert not standing.has_dropped
    assert standing.sentences[1].startswith("No drop: 31.5 points above the mean of the first 3 runs (")


def test_only_questions_that_all_have_scored_are_compared(tmp_path: Path) -> None:
    """What one run was refused is nobody's fault here."""
    save_past_run(tmp_path, 1, draw(1))
    save_past_run(tmp_path, 2, draw(1)[:80], refused_count=10)
    found = hold(save_past_run(tmp_path, 3, draw(1)), baseline_runs=2)
    assert found.baseline
    assert (found.baseline.n, found.baseline.found.difference) == (80, 0)
    assert "the mean of the first 2 runs on the 80 questions that all have scored" in found.baseline.sentence


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ({"unscored": 1}, "questions are not scored yet"),
        (
            {"limit": 90},
            "limit cut it short; a sample with random_selection and random_seed is followed",
        ),
    ],
)
def test_a_run_that_does_not_count_is_held_against_nothing(tmp_path: Path, marked: dict[str, int], reason: str) -> None:
    """Its report says why."""
    save_baseline(tmp_path)
    standing = hold(save_past_run(tmp_path, 4, [0.0] * COUNT, **marked))
    assert standing.sentences == [f"Held against no other run: {reason}"]
    assert not standing.has_dropped


def test_a_run_of_another_evaluation_makes_no_baseline(tmp_path: Path) -> None:
    """Three runs of one model do not count for the other."""
    save_baseline(tmp_path)
    assert hold(save_past_run(tmp_path, 4, draw(4), history_id="h2")).baseline_count == 1


def test_a_file_that_is_no_run_has_no_standing(tmp_path: Path) -> None:
    """The report leaves it out."""
    (tmp_path / "exam.json").write_text("[]")
    assert find_standing(tmp_path / "exam.json", baseline_runs=5, alarm_runs=30) is None


@pytest.mark.parametrize("count", [-1, 10**12])
def test_a_run_cannot_have_selected_any_number_of_questions(tmp_path: Path, count: int) -> None:
    """The report says so, and no memory is set aside for them."""
    save_past_run(tmp_path, 1, [1.0, 0.0, 1.0], selection={"file_count": 3, "selected_count": count})
    path = save_past_run(tmp_path, 2, [1.0, 1.0, 0.0])
    with pytest.raises(UserMistake, match=f"it says that {count:,} questions were selected"):
        hold(path, baseline_runs=1)


def test_a_run_of_another_number_of_questions_is_no_measure(tmp_path: Path) -> None:
    """Though its file says that it measures the same."""
    save_past_run(tmp_path, 1, [1.0, 0.0])
    found = hold(save_past_run(tmp_path, 2, [1.0, 1.0, 0.0]), baseline_runs=1)
    assert (found.previous, found.baseline) == (None, None)
