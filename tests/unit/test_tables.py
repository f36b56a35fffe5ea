"""What people read of a run in Prefect's UI: its progress, its tables, its report."""

from pathlib import Path

import numpy as np
import pytest

from tasks.evaluation.reporting.tables import (
    describe_progress,
    list_refused,
    list_unscored,
    list_wrong_answers,
    to_cells,
    write_report_text,
)


class FakeLedger:
    """Six questions: right, wrong, refused, unusable, and two that are open; one of these could not be kept with its score."""

    def __init__(self) -> None:
        self.questions = range(6)
        self.scores = np.array([1.0, 0.0, np.nan, np.nan, 0.0, np.nan])
        self.results = [0, 1, 2, 3]

    def open_positions(self, positions: range) -> list[int]:
        return [position for position in positions if position not in self.results]

    def read_result(self, position: int) -> dict[str, object]:
        records: list[dict[str, object]] = [
            {"question_id": 1, "score": 1.0},
            {"question_id": 2, "question": "Which\none?", "reference_answer": "A", "model_answer": "B|C", "score": 0.0},
            {"question_id": 3, "error": "answered 400: no", "skipped": True, "answer_id": "x"},
            {"question_id": 4, "error": "Missing question or answer", "skipped": True},
        ]
        return records[position]


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


def test_progress_says_how_long_it_takes() -> None:
    """While the run goes on; a run that has ended has no time left."""
    going_on = describe_progress(2_500, 10_000, rate=3.5, accuracy="0.71 ± 0.02")
    assert going_on == "**2,500 of 10,000** questions (25.0%), 3.50 questions/s, about 36 min left, accuracy so far 0.71 ± 0.02"
    assert describe_progress(0, 10, rate=0.0, accuracy=None) == "**0 of 10** questions (0.0%), no score so far"
    assert "left" not in describe_progress(5, 10, rate=None, accuracy=None)


@pytest.mark.parametrize(("rate", "left"), [(100.0, "about 10 s left"), (0.1, "about 2.8 h left")])
def test_the_time_left_is_in_units_that_fit(rate: float, left: str) -> None:
    """Seconds, minutes or hours."""
    assert left in describe_progress(0, 1_000, rate=rate, accuracy=None)


def test_unscored_questions_are_told_by_error(ledger: FakeLedger) -> None:
    """Errors that differ in numbers alone are one; a question that was scored after all is none."""
    [row] = list_unscored(ledger, {1: "broke", 4: "answered 500 (request 17)", 5: "answered 500 (request 18)"}, None)  # type: ignore[arg-type]
    assert (row["How often"], row["Question ids"], row["Error"]) == ("2", "5, 6", "answered 500 (request 17)")
    assert row["What to do"].startswith("Retry this run")


def test_questions_that_were_never_asked_are_told_with_the_cause(ledger: FakeLedger) -> None:
    """The run had stopped before."""
    rows = list_unscored(ledger, {4: "answered 500"}, "answered 401: renew the key")  # type: ignore[arg-type]
    assert [row["Question ids"] for row in rows] == ["5", "6"]
    assert rows[1]["Error"] == "not asked, because the run had stopped: answered 401: renew the key"


def test_refused_questions_and_unusable_entries_differ(ledger: FakeLedger) -> None:
    """In what to do about them."""
    rows = list_refused(ledger)  # type: ignore[arg-type]
    assert [(row["Question ids"], row["What to do"].split()[0]) for row in rows] == [("3", "Final,"), ("4", "Fix")]


def test_wrong_answers_are_shown_beside_what_was_expected(ledger: FakeLedger) -> None:
    """Only those that were scored."""
    [row] = list_wrong_answers(ledger)  # type: ignore[arg-type]
    assert list(row.values()) == ["2", "Which\none?", "A", "B|C", "0"]


def test_the_report_leaves_out_what_is_empty_and_links_the_files(ledger: FakeLedger) -> None:
    """A question's own text is no markup."""
    tables = {"Accuracy": [{"Questions": "All", "Accuracy": "0.5000"}], "Refused": [], "Wrong": list_wrong_answers(ledger)}  # type: ignore[arg-type]
    text = write_report_text(tables, {"results": Path("/out/exam.json")})
    assert "| Questions | Accuracy |\n| --- | --- |\n| All | 0.5000 |" in text
    assert "Refused" not in text
    assert "| 2 | Which<br>one? | A | B\\|C | 0 |" in text
    assert "- results: [/out/exam.json](file:///out/exam.json)" in text


def test_a_cell_is_broken_into_short_lines() -> None:
    """And what a question holds of HTML is shown, not obeyed."""
    [cells] = to_cells([{"Error": "<b>the endpoint</b> answered that it would rather not"}])
    assert cells["Error"] == "&lt;b>the endpoint&lt;/b><br>answered that it would<br>rather not"
