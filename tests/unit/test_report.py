"""What a run's end says of its accuracy."""

from dataclasses import replace

from tasks.evaluation.reporting.summary import describe_statistics
from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.statistics.intervals import Interval
from tasks.evaluation.statistics.recall import Recall
from tasks.evaluation.statistics.repeat_summary import PlaceAccuracy, RepeatSummary
from tasks.evaluation.statistics.retrieval_summary import RetrievalSummary
from tasks.evaluation.statistics.summary import Statistics

ACCURACY = Accuracy(4, score_sum=3, accuracy=0.75, standard_error=0.25, interval=Interval(0.3006, 0.9544, "wilson"))
STATISTICS = Statistics(
    selected=4,
    overall=ACCURACY,
    by_format={"Multiple choice": ACCURACY},
    by_group={},
    clarified=0,
    clarified_named=0,
    no_choice=0,
    truncated=0,
    f1=None,
    chance=None,
    is_above_chance=None,
    bounds=(0.75, 0.75),
    letters=None,
    calibration=None,
    retrieval=None,
    repeats=None,
    refused=0,
    unusable=0,
    unscored=0,
)


def test_groups_follow_the_overall_accuracy() -> None:
    """A line each, one without a value too."""
    lines = describe_statistics(replace(STATISTICS, by_group={"": ACCURACY, "law": ACCURACY}))
    assert lines == [
        "📊 Accuracy: 0.7500, 95 % interval 0.3006 to 0.9544 (3 of 4 questions)",
        "   without a value: 0.7500, 95 % interval 0.3006 to 0.9544 (3 of 4 questions)",
        "   law: 0.7500, 95 % interval 0.3006 to 0.9544 (3 of 4 questions)",
    ]


def test_many_groups_do_not_push_the_rest_off_the_screen() -> None:
    """They are counted, and stand in the metadata."""
    statistics = replace(STATISTICS, by_group={f"group {number}": ACCURACY for number in range(101)})
    assert describe_statistics(statistics)[1:] == ["   By field: 101 values, in the results' metadata"]
    assert statistics.to_json()["by_group"]["group 100"] == {  # type: ignore[call-overload,index]
        "count": 4,
        "accuracy": 0.75,
        "standard_error": 0.25,
        "interval": [0.3006, 0.9544],
        "interval_method": "wilson",
    }


def test_follow_ups_are_counted_with_those_that_named_a_choice() -> None:
    """Each was a call more."""
    lines = describe_statistics(replace(STATISTICS, clarified=12, clarified_named=9))
    assert lines[-1] == "   Asked which choice was meant: 12 (9 named one)"


def test_the_accuracy_is_compared_with_guessing() -> None:
    """A number that guessing reaches is not to be taken for knowledge."""
    guessed = replace(STATISTICS, chance=0.25, is_above_chance=False)
    assert "   The accuracy is not above chance (0.25)" in describe_statistics(guessed)
    assert "   The accuracy is above chance (0.25)" in describe_statistics(replace(guessed, is_above_chance=True))


def test_questions_without_a_score_have_bounds() -> None:
    """What they could have made of the accuracy; with none of them there is nothing to say."""
    missing = replace(STATISTICS, selected=6, refused=1, unscored=1, bounds=(0.5, 0.8333))
    line = "   With the 2 questions without a score: 0.5000 if all were wrong, 0.8333 if all were right"
    assert line in describe_statistics(missing)
    assert not any("without a score" in line for line in describe_statistics(STATISTICS))


def test_repeats_are_summed_up_in_a_line() -> None:
    """And a second one if each showed the choices in another order."""
    places = (PlaceAccuracy(1, 4, 0.75, Interval(0.3006, 0.9544, "wilson")), PlaceAccuracy(2, 4, 0.25))
    summary = RepeatSummary(2, pass_at={1: 0.5, 2: 0.75}, majority=0.625, changing=0.5, by_position=places)
    assert describe_statistics(replace(STATISTICS, repeats=summary))[1:] == [
        "   Asked 2 times each: pass@1 0.5000, pass@2 0.7500, majority 0.6250; 50.0% of the questions change their score",
        "   By the place at which the right choice was shown: 1: 0.7500 (0.3006 to 0.9544), 2: 0.2500",
    ]


def test_a_large_sum_is_written_out() -> None:
    """Not as 1.07e+06."""
    large = Accuracy(1_500_000, score_sum=1_071_000.5, accuracy=0.714, standard_error=None, interval=None)
    assert str(large) == "0.7140 (1,071,000.5 of 1,500,000 questions)"


def test_retrieval_is_told_with_what_it_is_worth() -> None:
    """How often the right chunk was found, the accuracy with it, and what did not reach the model."""
    summary = RetrievalSummary(4, 1, 3, 0.5, Recall(4, 2, (0.25, 0.5)), ACCURACY, None, {})
    assert describe_statistics(replace(STATISTICS, retrieval=summary))[1:] == [
        "   Retrieved for 4 questions, with a best score of 0.5000 on average",
        "   Hit rate 0.5000 (2 of 4); recall at 1: 0.2500, 2: 0.5000",
        "   Accuracy with the right chunk: 0.7500, 95 % interval 0.3006 to 0.9544 (3 of 4 questions)",
        "   Asked without any chunk, since none reaches the threshold: 1",
        "   Chunks left out, since the context was too long: 3",
    ]
    silent = RetrievalSummary(4, 0, 0, 0.5, Recall(0, 0, ()), None, None, {})
    [line] = describe_statistics(replace(STATISTICS, retrieval=silent))[1:]
    assert line.endswith("; no record names the chunk that it was made from")
