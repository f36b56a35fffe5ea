"""The report's head: the sentence that decides, its tables, what was run, and what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.pages.axes import choose_axis
from tasks.evaluation.pages.page import write_runs
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run
from tests.support.report_pages import make_page, read_page
from tests.support.saved_runs import describe_run, refused, save_results, score_all, scored, unusable

shares = st.floats(0, 1)


def save(folder: Path, name: str, *, model: str = "m", prompt: str = "", date: str = "", **settings: float | str) -> SavedRun:
    """Return a saved run of one question with these settings."""
    evaluation: JsonObject = {"prompt": {"mc": prompt}, "timestamp": date}
    metadata = describe_run(1, model=model, evaluation=evaluation, settings=dict(settings))
    return open_saved_run(save_results(folder / f"{name}.json", score_all([1]), metadata), name)


def test_one_run_is_summed_up_in_a_sentence(tmp_path: Path) -> None:
    """Its accuracy, how sure that is, and whether guessing reaches as much."""
    head = make_page(tmp_path, score_all([1] * 9 + [0])).head
    assert (
        "a answers 90.0 % of 10 questions right 95 % interval 59.6 to 98.2 %, above the 25.0 % that guessing reaches." in head
    )
    assert "a answers 25.0 % of 4 questions right 95 % interval 4.6 to 69.9 %, not above the 25.0 % that" in (
        make_page(tmp_path, score_all([1, 0, 0, 0])).head
    )


def test_a_better_run_is_named_with_the_interval_of_the_difference(tmp_path: Path) -> None:
    """Whichever of the two it is."""
    better, worse = score_all([1] * 90 + [0] * 10), score_all([1] * 70 + [0] * 30)
    said = "95 % interval 11.4 to 27.8 points, p < 0.001, on the 100 questions that both have scored."
    assert f"a is better than b by 20.0 points {said}" in make_page(tmp_path, better, worse).head
    assert f"b is better than a by 20.0 points {said}" in make_page(tmp_path, worse, better).head


def test_a_name_cannot_turn_the_sentence_around_it(tmp_path: Path) -> None:
    """The sign for writing from the right would have a browser read the rest of the heading backwards."""
    run = save(tmp_path, "turned", model="m")
    head = read_page(write_runs([replace(run, name="evil\u202e\u2067")], tmp_path / "report.html").path).head
    assert "evil answers" in head
    assert not set("\u202e\u2067") & set(head)


def test_runs_that_cannot_be_told_apart_are_not_ranked(tmp_path: Path) -> None:
    """And the heading names what it would take to tell."""
    head = make_page(tmp_path, score_all([1] * 90 + [0] * 10), score_all([1] * 88 + [0] * 12)).head
    assert (
        "a and b cannot be told apart on these 100 questions A difference under 7.7 points is seen less than four times in "
        "five; the 2.0 observed, if true, would need about 391 questions."
    ) in head


def test_of_several_runs_those_who_lead_are_named(tmp_path: Path) -> None:
    """One, some, or all of them."""
    good, close, bad = score_all([1] * 90 + [0] * 10), score_all([1] * 88 + [0] * 12), score_all([1] * 50 + [0] * 50)
    on = "On the 100 questions that all 3 have scored,"
    assert f"a is the best of 3 runs {on} it is better than each other run." in make_page(tmp_path, good, bad, bad).head
    assert (
        f"a and c lead 3 runs {on} a scores highest, and the others cannot be told"
        in make_page(tmp_path, good, bad, close).head
    )
    assert (
        f"None of 3 runs can be told apart from the best {on} a scores highest." in make_page(tmp_path, good, close, close).head
    )


def test_differences_have_a_minus_that_can_be_seen(tmp_path: Path) -> None:
    """With what both, one and neither has right."""
    head = make_page(tmp_path, score_all([1] * 70 + [0] * 30), score_all([1] * 90 + [0] * 10)).head
    assert "a − b −20.0 −27.8 to −11.4 < 0.001 Where they differ 70 both right 0 only a 20 only b 10 neither" in head


def test_groups_come_with_the_largest_difference_first(tmp_path: Path) -> None:
    """With each run's accuracy in each."""
    groups = ["law"] * 10 + ["art"] * 10
    first = [scored(n, 1, fields={"subject": group}) for n, group in enumerate(groups, start=1)]
    second = [{**record, "score": float(n >= 10)} for n, record in enumerate(first)]
    head = make_page(tmp_path, first, second, group_by="subject").head
    assert "law 10 100.0 % 0.0 %" in head
    assert "art 10 100.0 % 100.0 % 0.0" in head
    assert head.index("law 10 100.0 %") < head.index("art 10 100.0 %")


def test_what_is_missing_is_counted_by_reason(tmp_path: Path) -> None:
    """Reasons that differ in numbers alone count as one; the seventh and later are added up."""
    reasons = [f"{9_000 + place} tokens are too many" for place in range(3)] + ["a", "b", "c", "d", "e", "f", "g"]
    records = [{**refused(place), "error": reason} for place, reason in enumerate(reasons, start=2)]
    head = make_page(tmp_path, [scored(1, 1), *records[:-1], unusable(11)]).head
    assert "9 refused 1 cannot be asked If all of these were wrong, or all right, the accuracy would be 9.1 to 100.0 %." in head
    assert "3 × 9000 tokens are too many 1 × a 1 × b 1 × c 1 × d 1 × e 2 for other reasons" in head


def test_what_was_run_is_told_once_where_it_is_the_same(tmp_path: Path) -> None:
    """And for each run where it differs; other settings are listed only if they differ."""
    old = save(tmp_path, "old", model="llama", date="2026-11-26T09:00:00", prompt="Choose.", temperature=0.0, seed=1, extra="x")
    new = save(tmp_path, "new", model="qwen", date="2026-11-26T09:00:00", prompt="Pick.", temperature=0.0, seed=2, extra="x")
    head = read_page(write_runs([old, new], tmp_path / "report.html").path).head
    assert "Model llama qwen Questions exam.json: 1 Started 26 November 2026, 09:00 Graded" in head
    assert "Temperature 0.0 Results old.json new.json Other settings that differ" in head
    assert "seed 1 2 Prompt for multiple choice, which differs old Choose. new Pick. Tokens" in head


def test_tokens_are_added_up_by_run_and_role(tmp_path: Path) -> None:
    """With the mean for a question."""
    usage: JsonObject = {"generator": {"prompt_tokens": 1000, "completion_tokens": 500}, "grader": {}}
    head = make_page(tmp_path, [scored(n, 1, usage=usage) for n in (1, 2)]).head
    assert "a generator 2,000 1,000 3,000 1,500 All 2 questions" in head


@given(values=st.lists(shares, min_size=1))
def test_an_axis_has_room_for_every_value_between_round_ends(values: list[float]) -> None:
    """And names at least two places; nothing beyond what is possible."""
    axis = choose_axis(values, low=0.0, high=1.0)
    assert 0.0 <= axis.low <= min(values)
    assert max(values) <= axis.high <= 1.0
    assert axis.high - axis.low >= 0.1 - 1e-9
    assert 2 <= len(axis.ticks) <= 8


@pytest.mark.parametrize(("value", "place"), [(0.4, "0.00%"), (0.7, "50.00%"), (1.0, "100.00%"), (0.2, "0.00%")])
def test_a_value_stands_in_its_place_on_the_axis(value: float, place: str) -> None:
    """One beyond an end at that end."""
    assert choose_axis([0.5, 1.0], low=0.0, high=1.0).place(value) == place
