"""What a run's end says of its accuracy."""

from dataclasses import replace

from tasks.evaluation.reporting.summary import describe_statistics
from tasks.evaluation.statistics.accuracy import Accuracy
from tasks.evaluation.statistics.summary import Statistics

ACCURACY = Accuracy(4, score_sum=3, accuracy=0.75, standard_error=0.25)
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
    refused=0,
    unusable=0,
    unscored=0,
)


def test_groups_follow_the_overall_accuracy() -> None:
    """A line each, one without a value too."""
    lines = describe_statistics(replace(STATISTICS, by_group={"": ACCURACY, "law": ACCURACY}))
    assert lines == [
        "📊 Accuracy: 0.7500 ± 0.2500 (3 of 4 questions)",
        "   without a value: 0.7500 ± 0.2500 (3 of 4 questions)",
        "   law: 0.7500 ± 0.2500 (3 of 4 questions)",
    ]


def test_many_groups_do_not_push_the_rest_off_the_screen() -> None:
    """They are counted, and stand in the metadata."""
    statistics = replace(STATISTICS, by_group={f"group {number}": ACCURACY for number in range(101)})
    assert describe_statistics(statistics)[1:] == ["   By field: 101 values, in the results' metadata"]
    assert statistics.to_json()["by_group"]["group 100"] == {"count": 4, "accuracy": 0.75, "standard_error": 0.25}  # type: ignore[call-overload,index]


def test_follow_ups_are_counted_with_those_that_named_a_choice() -> None:
    """Each was a call more."""
    lines = describe_statistics(replace(STATISTICS, clarified=12, clarified_named=9))
    assert lines[-1] == "   Asked which choice was meant: 12 (9 named one)"
