"""Runs are compared question by question; what a comparison hides is shown."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.evaluation.comparing.comparison import Comparison, compare_runs
from tasks.evaluation.comparing.flips import list_flips
from tasks.evaluation.comparing.names import open_named_runs
from tasks.evaluation.comparing.sentences import decide
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject
from tests.support.comparing import compare
from tests.support.saved_runs import (
    describe_run,
    refused,
    save_checkpoint,
    save_original,
    save_results,
    score_all,
    scored,
    unusable,
)

# Of ten questions both have four right, a four alone, b one alone.
A_SCORES = (1, 1, 1, 1, 1, 1, 1, 1, 0, 0)
B_SCORES = (1, 1, 1, 1, 0, 0, 0, 0, 1, 0)


def decide_first(comparison: Comparison) -> str:
    return decide(comparison.pairs[0], confidence=comparison.confidence, pair_count=len(comparison.pairs))


def test_json_holds_what_a_hand_computes(tmp_path: Path) -> None:
    """Bonett and Price: 5/12 and 2/12 give 0.25 and an error of 0.2083; mid-p: 2 * 6/32 - 5/32."""
    described = compare(tmp_path, score_all(A_SCORES), [*score_all(B_SCORES), refused(11), unusable(12)]).to_json()
    assert list(described) == ["runs", "common", "pairs", "leaderboard"]
    assert json.loads(json.dumps(described["runs"]))[1] == {
        "name": "b",
        "path": str(tmp_path / "b.json"),
        "model": "some-model",
        "questions_file": "exam.json",
        "selected": 12,
        "scored": 10,
        "accuracy": 0.5,
        "standard_error": pytest.approx(1 / 6),
        "interval": [pytest.approx(0.23659, abs=1e-5), pytest.approx(0.76341, abs=1e-5)],
        "interval_method": "wilson",
        "chance": 0.25,
        "above_chance": False,
        "missing": {"refused": 1, "unusable": 1, "unscored": 0},
        "accuracy_bounds": [pytest.approx(5 / 12), pytest.approx(7 / 12)],
        "cost": None,
    }
    assert json.loads(json.dumps(described["pairs"]))[0] == {
        "a": "a",
        "b": "b",
        "n": 10,
        "both_right": 4,
        "only_a": 4,
        "only_b": 1,
        "neither": 1,
        "difference": pytest.approx(0.3),
        "interval": [pytest.approx(-0.158326, abs=1e-6), pytest.approx(0.658326, abs=1e-6)],
        "interval_method": "bonett-price",
        "p": pytest.approx(7 / 32),
        "p_method": "mcnemar mid-p",
        "p_adjusted": pytest.approx(7 / 32),
        "verdict": "cannot tell",
        "smallest_visible": pytest.approx(0.61584, abs=1e-5),
        "questions_needed": 42,
        "difference_bounds": None,
        "groups": [],
    }
    assert (described["common"], described["leaderboard"]) == (10, [["a", "b"]])


def test_missing_questions_bound_the_difference(tmp_path: Path) -> None:
    """Two of a's ten are refused, b has scored all: had a's been wrong, 7 - 5 of ten, had they been right, 9 - 5."""
    a = [*score_all([1] * 7 + [0]), refused(9), refused(10)]
    [pair] = compare(tmp_path, a, score_all([1] * 5 + [0] * 5)).pairs
    assert pair.n == 8
    assert pair.difference_bounds == pytest.approx((0.2, 0.4))


def test_a_better_run_is_named_with_its_lead(tmp_path: Path) -> None:
    """The better first, whichever was given first; the interval turns with it."""
    comparison = compare(tmp_path, score_all([0] * 20 + [1] * 80), score_all([1] * 98 + [0] * 2))
    assert comparison.pairs[0].verdict == "b"
    assert comparison.leaderboard == (("b",), ("a",))
    assert decide_first(comparison) == "b is better than a by 18.0 points (8.9 to 26.4), p < 0.001"


def test_what_cannot_be_told_says_what_it_would_take(tmp_path: Path) -> None:
    """The smallest difference that these questions show, and how many the observed one needs."""
    assert decide_first(compare(tmp_path, score_all(A_SCORES), score_all(B_SCORES))) == (
        "a and b cannot be told apart on these 10 questions: a difference under 61.6 points is seen less than four times in "
        "five; the 30.0 observed, if true, would need about 42 questions"
    )


def test_what_many_pairs_take_away_is_said(tmp_path: Path) -> None:
    """A difference that is large enough alone, and not among ten."""
    [pair] = compare(tmp_path, score_all([1] * 20 + [0] * 20), score_all([0] * 10 + [1] * 10 + [0] * 20)).pairs
    among_many = replace(pair, verdict="cannot tell", p_adjusted=0.06, questions_needed=30)
    assert decide(among_many, confidence=0.95, pair_count=10).endswith(
        "; the 25.0 observed (p < 0.001) count for less among several pairs (adjusted p = 0.06)"
    )


def test_no_difference_at_all_is_said(tmp_path: Path) -> None:
    """Neither in any question, nor in the sum."""
    same = compare(tmp_path, score_all([1, 0, 1]), score_all([1, 0, 1]))
    assert decide_first(same) == "a and b cannot be told apart on these 3 questions: both have the same score on each"
    even = compare(tmp_path, score_all([1, 0] * 20), score_all([0, 1] * 20))
    assert decide_first(even).endswith("four times in five; none was observed")
    few = compare(tmp_path, score_all([1, 0, 1]), score_all([0, 1, 1]))
    assert decide_first(few).endswith(": the accuracy is the same, on too few questions to mean anything")


def test_one_common_question_is_enough(tmp_path: Path) -> None:
    """For a sentence that says how little it is."""
    comparison = compare(tmp_path, score_all([1]), score_all([0]))
    assert decide_first(comparison).startswith("a and b cannot be told apart on this question: ")


def test_fractional_scores_have_t(tmp_path: Path) -> None:
    """As the means of repeats are; right is the full score alone."""
    [pair] = compare(tmp_path, score_all([1, 0.5, 0.25, 1]), score_all([0.5, 0.5, 0, 1])).pairs
    assert (pair.found.interval_method, pair.found.difference) == ("t", 0.1875)
    assert (pair.both_right, pair.only_a, pair.only_b, pair.neither, pair.differing) == (1, 1, 0, 2, 2)


def test_three_runs_are_adjusted_and_ranked(tmp_path: Path) -> None:
    """Holm over all three pairs; who cannot be told apart stands in one group."""
    runs = [score_all([1] * count + [0] * (100 - count)) for count in (90, 88, 50)]
    comparison = compare(tmp_path, *runs)
    assert [(pair.a, pair.b, pair.verdict) for pair in comparison.pairs] == [
        ("a", "b", "cannot tell"),
        ("a", "c", "a"),
        ("b", "c", "a"),
    ]
    assert comparison.pairs[0].found.p == comparison.pairs[0].p_adjusted == 0.25
    assert comparison.leaderboard == (("a", "b"), ("c",))


def test_groups_come_largest_first(tmp_path: Path) -> None:
    """By the size of the difference; adjusted for their number, a question without a value in a group of its own."""

    def place(scores: Sequence[float]) -> list[JsonObject]:
        subjects = ["law"] * 6 + ["art"] * 6 + [None]
        return [
            scored(number, score, fields={"subject": subject})
            for number, (score, subject) in enumerate(zip(scores, subjects, strict=True), start=1)
        ]

    a, b = place([1] * 6 + [1] * 6 + [1]), place([0] * 6 + [1] * 5 + [0] + [1])
    [pair] = compare(tmp_path, a, b, group_by="subject").pairs
    assert [(group.group, group.n, group.found.difference) for group in pair.groups] == [
        ("law", 6, 1.0),
        ("art", 6, pytest.approx(1 / 6)),
        ("", 1, 0.0),
    ]
    assert (pair.groups[0].found.p, pair.groups[0].p_adjusted) == (0.5**6, 3 * 0.5**6)


def test_the_runs_own_groups_are_the_default(tmp_path: Path) -> None:
    """And their clusters, even if another run, as one of the original scorer, has no fields."""
    records = [scored(number, number % 2, fields={"topic": f"t{number % 2}", "text": f"p{number // 3}"}) for number in range(9)]
    settings: JsonObject = {"fields": {"group_by": "topic", "cluster_by": "text"}}
    a = save_results(tmp_path / "a.json", records, describe_run(9, settings=settings))
    b = save_original(tmp_path / "b.json", score_all([0, 1] * 4, first=1))
    comparison = compare_runs(open_named_runs([f"b={b}", f"a={a}"]))
    assert (comparison.group_by, comparison.cluster_by, comparison.common) == ("topic", "text", 8)
    assert comparison.pairs[0].found.interval_method == "clustered-t"
    assert {group.group for group in comparison.pairs[0].groups} == {"t0", "t1"}


def test_a_question_without_a_cluster_is_one_of_its_own(tmp_path: Path) -> None:
    """With one cluster of one question the error is the plain one, 0.5345 / sqrt(8); with clusters of two it is another."""
    alone = [scored(number, number % 2, fields={"text": "p"} if number == 1 else {}) for number in range(1, 9)]
    paired = [scored(number, number % 2, fields={"text": f"p{number // 2}"}) for number in range(1, 9)]
    [run, _] = compare(tmp_path, alone, score_all([1] * 8), cluster_by="text").runs
    assert run.standard_error == pytest.approx(0.188982, abs=1e-6)
    [clustered, _] = compare(tmp_path, paired, score_all([1] * 8), cluster_by="text").runs
    assert clustered.standard_error == pytest.approx(0.098821, abs=1e-6)


@pytest.mark.parametrize("option", [{"group_by": "nothing"}, {"cluster_by": "nothing"}])
def test_a_field_that_no_record_has_is_refused(tmp_path: Path, option: dict[str, str]) -> None:
    """By name."""
    with pytest.raises(UserMistake, match="no record has the field 'nothing'"):
        compare(tmp_path, score_all([1]), score_all([0]), **option)


def test_nothing_in_common_is_refused(tmp_path: Path) -> None:
    """With what each run holds."""
    with pytest.raises(UserMistake, match=r"nothing to compare: no question is scored in all .*a 1 of exam\.json, b 1 of"):
        compare(tmp_path, [scored(1, 1, "One?")], [scored(1, 1, "Two?")])
    with pytest.raises(UserMistake, match=r"nothing to compare: .*b\.json holds no scored question"):
        compare(tmp_path, score_all([1]), [refused(1)])


def test_chance_comes_from_the_file_if_it_says(tmp_path: Path) -> None:
    """Else from the choices; it cannot be said where one question is a short answer."""
    stated = describe_run(2, statistics={"chance": 0.5, "above_chance": True})
    path = save_results(tmp_path / "a.json", score_all([1, 1]), stated)
    short = save_results(tmp_path / "b.json", [scored(1, 1), scored(2, 1) | {"format": "qa"}])
    runs = compare_runs(open_named_runs([f"a={path}", f"b={short}"])).runs
    assert [(run.chance, run.is_above_chance) for run in runs] == [(0.5, True), (None, None)]


def test_every_form_of_a_run_is_compared(tmp_path: Path) -> None:
    """Results, compressed results, a checkpoint of ours in the order of completion, one of the original scorer."""
    records = score_all([1, 0, 1])
    paths = [
        save_results(tmp_path / "a.json", records),
        save_results(tmp_path / "b.json.gz", records),
        save_checkpoint(tmp_path / "c.json", records[::-1], describe_run(3)),
        save_original(tmp_path / "d.json", records),
    ]
    comparison = compare_runs(open_named_runs([f"{path.name[0]}={path}" for path in paths]))
    assert (comparison.common, len(comparison.pairs), comparison.leaderboard) == (3, 6, (("a", "b", "c", "d"),))
    assert [run.selected for run in comparison.runs] == [3, 3, 3, 3]


def test_flips_are_the_first_questions_that_differ(tmp_path: Path) -> None:
    """Both ways, in the order of the first run's numbers, with both answers."""
    a = [scored(3, 1, "Three?"), scored(1, 1, "One?"), scored(2, 0, "Two?")]
    b = [refused(9), scored(1, 0, "Three?"), scored(2, 0, "One?"), scored(3, 1, "Two?")]
    a[0]["evaluation"] = {"model_choice": "C"}
    b[1] |= {"format": "qa", "model_answer": "forty"}
    paths = [save_results(tmp_path / f"{name}.json", records) for name, records in (("a", a), ("b", b))]
    runs = open_named_runs([f"{path.stem}={path}" for path in paths])
    [flips] = list_flips(runs, compare_runs(runs), 5)
    assert flips.counts == (2, 1)
    assert [(flip.question_id, flip.question) for flip in flips.better_a] == [(1, "One?"), (3, "Three?")]
    assert flips.better_a[1].answers == ("C", "forty")
    assert [flip.scores for flip in flips.better_b] == [(0, 1)]
    [fewer] = list_flips(runs, compare_runs(runs), 1)
    assert (len(fewer.better_a), fewer.counts) == (1, (2, 1))
