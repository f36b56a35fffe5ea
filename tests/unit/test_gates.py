"""Gates: what passes, what fails and why, and how CI systems are told."""

from xml.etree import ElementTree as ET

import pytest

from tasks.evaluation.comparing.gate import GateResult, check_accuracy, check_interval, check_not_worse
from tasks.evaluation.comparing.junit import Remark, write_junit
from tasks.evaluation.comparing.sentences import format_about, format_p, format_points
from tasks.evaluation.statistics.intervals import Interval
from tasks.evaluation.statistics.paired import Difference, compare_counts

NAMES = ("new", "old")


def test_an_accuracy_under_the_demanded_fails() -> None:
    """In one sentence, with both numbers and what demands it."""
    assert check_accuracy(0.61, 0.7, setting="fail_under") == GateResult(
        "fail_under 0.7", is_passed=False, message="Accuracy 0.61 is under the 0.70 that fail_under demands"
    )


def test_the_demanded_accuracy_itself_passes() -> None:
    """Under is under."""
    assert check_accuracy(21 / 30, 0.7).is_passed
    assert check_accuracy(0.7, 0.7).message == "Accuracy 0.70 is not under the 0.70 that --fail-under demands"


def test_numbers_are_shown_as_far_as_they_differ() -> None:
    """0.70 is never under 0.70."""
    assert check_accuracy(0.69996, 0.7, subject="new").message == (
        "Accuracy of new 0.69996 is under the 0.70000 that --fail-under demands"
    )


def test_the_lower_end_of_the_interval_is_held_against_its_own_gate() -> None:
    """An accuracy may pass that its interval does not."""
    interval = Interval(0.68, 0.75, "wilson")
    assert check_interval(interval, 0.68).is_passed
    assert check_interval(interval, 0.7).message == (
        "Lower end of the accuracy's interval 0.68 is under the 0.70 that --fail-under-interval demands"
    )


@pytest.mark.parametrize("result", [check_accuracy(None, 0), check_interval(None, 0)])
def test_what_cannot_be_said_fails(result: GateResult) -> None:
    """A gate that measures nothing must not be green."""
    assert not result.is_passed
    assert result.message.endswith("cannot be said: too few scores")


def test_worse_beyond_doubt_fails() -> None:
    """p is below 0.05, and the candidate is the worse one."""
    result = check_not_worse(compare_counts(2, 20, 100), NAMES, margin_points=None)
    assert (result.name, result.is_passed) == ("--fail-if-worse old", False)
    assert result.message == "new is worse than old: 18.0 points lower (8.9 to 26.4), p < 0.001"


def test_better_or_doubtful_passes() -> None:
    """Without a margin, only proof fails."""
    assert check_not_worse(compare_counts(20, 2, 100), NAMES, margin_points=None).is_passed
    doubtful = check_not_worse(compare_counts(5, 8, 100), NAMES, margin_points=None)
    assert doubtful.is_passed
    assert doubtful.message.startswith("new is not worse beyond doubt than old: 3.0 points lower (-4.5 to 10.4), p = ")


def test_more_confidence_demands_more_proof() -> None:
    """12 against 3 are proof at 95 %, not at 99 %."""
    found = compare_counts(3, 12, 100)
    assert not check_not_worse(found, NAMES, margin_points=None).is_passed
    assert check_not_worse(found, NAMES, margin_points=None, confidence=0.99).is_passed


def test_with_a_margin_doubt_fails() -> None:
    """The lower end, -10.36 points, must lie above minus the margin."""
    found = compare_counts(5, 8, 100)
    assert check_not_worse(found, NAMES, margin_points=10.4).is_passed
    result = check_not_worse(found, NAMES, margin_points=10)
    assert (result.name, result.is_passed) == ("--fail-if-worse old --margin 10", False)
    assert result.message == "new is not shown to be at most 10 points worse than old: 3.0 points lower (-4.5 to 10.4)"


def test_the_margin_itself_passes() -> None:
    """At most so many points worse."""
    found = Difference(0.0, -0.25, 0.25, "t", 1.0, "t")
    assert check_not_worse(found, NAMES, margin_points=25).is_passed


def test_a_margin_without_an_interval_fails() -> None:
    """Nothing is shown by one question with a fractional score."""
    found = Difference(0.0, None, None, "t", None, "t")
    assert not check_not_worse(found, NAMES, margin_points=5).is_passed
    assert check_not_worse(found, NAMES, margin_points=None).is_passed


@pytest.mark.parametrize(
    ("difference", "shown"),
    [(0.021, "2.1"), (-0.0004, "-0.04"), (0.00002, "0.002"), (-1e-9, "0.0"), (0.0, "0.0"), (1.0, "100.0")],
)
def test_points_never_round_a_difference_away(difference: float, shown: str) -> None:
    """Down to a ten thousandth of a point, and zero has no sign."""
    assert format_points(difference) == shown


def test_numbers_are_written_as_people_write_them() -> None:
    """Three digits are enough of a count, and two of p."""
    assert [format_about(count) for count in (0, 7, 217, 21_783, 1_234_567)] == ["0", "7", "217", "21,800", "1,230,000"]
    assert [format_p(p) for p in (None, 0.0004, 0.01649, 0.3, 1.0)] == [
        "p unknown",
        "p < 0.001",
        "p = 0.016",
        "p = 0.3",
        "p = 1",
    ]


def test_junit_counts_and_names_each_gate() -> None:
    """As readers expect it: a suite in a root, a class name and a name for each test, the reason as attribute and text."""
    gates = [check_accuracy(0.61, 0.7), check_interval(Interval(0.6, 0.7, "wilson"), 0.5)]
    root = ET.fromstring(write_junit("mcqa compare", gates, [Remark("a and b", "a is better")]))
    [suite] = root
    assert (root.tag, suite.tag, suite.attrib["name"]) == ("testsuites", "testsuite", "mcqa compare")
    assert [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")] == ["3", "1", "0", "0"]
    assert [(case.attrib["classname"], case.attrib["name"]) for case in suite] == [
        ("mcqa compare.gates", "--fail-under 0.7"),
        ("mcqa compare.gates", "--fail-under-interval 0.5"),
        ("mcqa compare.verdicts", "a and b"),
    ]
    [failure] = suite[0]
    assert failure.tag == "failure"
    assert failure.attrib["message"] == failure.text == "Accuracy 0.61 is under the 0.70 that --fail-under demands"
    assert [child.tag for child in suite[1]] == ["system-out"]
    assert suite[2][0].text == "a is better"


def test_junit_is_xml_whatever_a_name_holds() -> None:
    """Markup is escaped; what XML cannot hold is left out."""
    hostile = 'a"<b>&]]>\x00\x1b[31m\ufffe\ud800é'
    root = ET.fromstring(write_junit("suite", [GateResult(hostile, is_passed=False, message=hostile)]))
    [case] = root[0]
    assert case.attrib["name"] == case[0].text == 'a"<b>&]]>[31mé'
