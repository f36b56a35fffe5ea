"""What people read of a run in Prefect's UI: its progress, its tables, its report."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.evaluation.endpoints.outage import Waiting
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.reporting.tables import (
    describe_progress,
    list_groups,
    list_letters,
    list_other_models,
    list_refused,
    list_remarks,
    list_unscored,
    list_wrong_answers,
    to_cells,
)
from tasks.evaluation.scoring.ledger import Ledger
from tasks.evaluation.statistics.accuracy import measure_scores
from tasks.evaluation.statistics.letters import LetterRow, Letters
from tasks.evaluation.statistics.recall import Recall
from tasks.evaluation.statistics.retrieval_summary import RetrievalSummary
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import make_questions, write_questions


@pytest.fixture
def ledger(evaluation: Evaluation, folder: Path) -> Iterator[Ledger]:
    """Yield six questions: right, wrong, refused, unusable, and two open; one of these could not be kept with its score."""
    questions = make_questions(6)
    write_questions(folder, [*questions[:3], {"question": questions[3]["question"], "answer": ""}, *questions[4:]])
    with evaluation.open({}, run_id="shown") as run:
        wrong: JsonObject = {"reference_answer": "C", "model_answer": "B|C", "score": 0.0}
        wrong |= {"evaluation": {"reference_choice": "C", "model_choice": ""}}
        run.ledger.finish(0, {"score": 1.0, "response_model": "large"})
        run.ledger.finish(1, wrong | {"response_model": "small"})
        run.ledger.finish(2, {"error": "answered 400: no", "skipped": True, "answer_id": "x"})
        run.ledger.sheet.scores[4] = 0.0
        yield run.ledger


def test_progress_says_how_long_it_takes() -> None:
    """While the run goes on; a run that has ended has no time left."""
    accuracy = measure_scores([1.0, 1.0, 0.0])
    assert describe_progress(2_500, 10_000, rate=3.5, accuracy=accuracy) == "2,500/10,000, 36 min left, 0.67"
    assert describe_progress(0, 10, rate=0.0, accuracy=None) == "0/10"
    assert describe_progress(5, 10, rate=None, accuracy=accuracy) == "5/10, 0.67"


def test_progress_says_what_is_waited_for() -> None:
    """In an outage nobody knows how much time is left; a long reason is cut."""
    waiting = Waiting("generator", 118.0, "cannot be reached: Connection refused")
    shown = describe_progress(30, 400, rate=2.0, accuracy=None, waiting=waiting)
    assert shown == "30/400, waiting for the generator since 2 min: cannot be reached: Connection refused"
    assert len(describe_progress(30, 400, rate=2.0, accuracy=None, waiting=replace(waiting, reason="x" * 999))) < 250


@pytest.mark.parametrize(("rate", "left"), [(100.0, ", 10 s left"), (0.1, ", 2.8 h left")])
def test_the_time_left_is_in_units_that_fit(rate: float, left: str) -> None:
    """Seconds, minutes or hours."""
    assert left in describe_progress(0, 1_000, rate=rate, accuracy=None)


def test_unscored_questions_are_told_by_error(ledger: Ledger) -> None:
    """Errors that differ in numbers alone are one; a question that was scored after all is left out."""
    [row] = list_unscored(ledger, {1: "broke", 4: "answered 500 (request 17)", 5: "answered 500 (request 18)"}, None)
    assert (row["How often"], row["Question ids"], row["Error"]) == ("2", "5, 6", "answered 500 (request 17)")
    assert row["What to do"].startswith("Retry this run")


def test_questions_that_were_never_asked_are_told_with_the_cause(ledger: Ledger) -> None:
    """The run had stopped before."""
    rows = list_unscored(ledger, {4: "answered 500"}, "answered 401: renew the key")
    assert [row["Question ids"] for row in rows] == ["5", "6"]
    assert rows[1]["Error"] == "answered 401: renew the key"


def test_refused_questions_and_unusable_entries_differ(ledger: Ledger) -> None:
    """In what to do about them."""
    rows = list_refused(ledger)
    assert [(row["Question ids"], row["What to do"].split()[0]) for row in rows] == [("3", "Final,"), ("4", "Fix")]


def test_wrong_answers_are_shown_beside_what_was_expected(ledger: Ledger) -> None:
    """Only those that were scored."""
    [row] = list_wrong_answers(ledger)
    assert row == {
        "No.": "2",
        "Right": "C",
        "Answered": "B|C",
        "Choices": "A) one 2 · B) two 2 · C) three 2 · D) four 2",
        "Question": "Question 2: which of these is it?",
    }


@pytest.mark.parametrize(
    ("read", "right", "answered"),
    [
        ({"reference_choice": "C", "model_choice": "A, D"}, "C", "A, D"),
        ({"reference_choice": "C", "model_choice": ""}, "C", "Neither, I think."),
        ({"reference_choice": "X", "model_choice": None}, "the third", "Neither, I think."),
    ],
)
def test_choices_are_named_by_their_labels(ledger: Ledger, read: JsonObject, right: str, answered: str) -> None:
    """What names no choice of the question is shown as it is; a score between 0 and 1 has a column."""
    record: JsonObject = {
        "reference_answer": "the third",
        "model_answer": "Neither, I think.",
        "score": 0.5,
        "evaluation": read,
    }
    ledger.finish(5, record)
    row = list_wrong_answers(ledger)[-1]
    assert (row["Right"], row["Answered"], row["Score"]) == (right, answered, "0.5")


def test_each_model_that_answered_is_counted(ledger: Ledger) -> None:
    """Where there are several: gateways fall back to other models without a word."""
    assert list_other_models(ledger) == [{"Model": "large", "Answers": "1"}, {"Model": "small", "Answers": "1"}]


def test_what_stands_out_is_counted(ledger: Ledger) -> None:
    """With what to do about it, as in the terminal."""
    ledger.finish(4, {"score": 1.0, "evaluation": {"score": 1, "clarified": True}})
    ledger.finish(5, {"score": 0.0, "evaluation": {"score": 0, "clarified": True, "no_choice": True}})
    assert [row["Remark"] for row in list_remarks(compute_statistics(ledger))] == [
        "The accuracy is not above chance (0.25)",
        "With the 2 questions without a score: 0.3333 if all were wrong, 0.6667 if all were right",
        "Chosen by letter, and how often right: B 0 (2), C 0 (1), D 0 (1); recall by letter deviates by 0.0000",
        "Asked which choice was meant: 2 (1 named one)",
        "Chose nothing, counted as wrong: 1",
        "Refused by the endpoint, not counted: 1 (ask again with --retry-refused)",
        "Entries that cannot be asked, not counted: 1",
    ]


def test_groups_and_letters_have_tables_of_their_own(ledger: Ledger) -> None:
    """The largest group first, and each label with its recall."""
    statistics = compute_statistics(ledger)
    small, large = (measure_scores([1.0] * count) for count in (2, 5))
    assert small
    assert large
    by_group = replace(statistics, by_group={"art": small, "": large})
    assert [(row["Questions"], row["Scored"]) for row in list_groups(by_group)] == [("without a value", "5"), ("art", "2")]
    assert list_groups(by_group)[1]["95 % interval"] == "0.3424 to 1.0000"
    found = RetrievalSummary(7, 0, 0, 0.5, Recall(7, 3, (3 / 7,)), None, None, {"art": Recall(2, 1, (0.5,))})
    with_retrieval = list_groups(replace(by_group, retrieval=found))
    assert [row["Right chunk found"] for row in with_retrieval] == ["", "0.5000"]
    letters = Letters((LetterRow("A", right=4, chosen=5, recall=0.75), LetterRow("B", right=0, chosen=1, recall=None)), None)
    assert list_letters(replace(statistics, letters=letters)) == [
        {"Label": "A", "Right": "4", "Chosen": "5", "Recall": "0.7500"},
        {"Label": "B", "Right": "0", "Chosen": "1", "Recall": ""},
    ]


def test_a_cell_is_one_short_line_of_plain_text() -> None:
    """Version 2 of the UI shows it as it is; an invisible space keeps version 1 from seeing a tag, a link or an image."""
    [cells] = to_cells([{"Error": "a *line*\n\nand | another", "Long": "x" * 500, "Foreign": "<img src=//evil> ![](//evil)"}])
    assert cells["Error"] == "a *line* and | another"
    assert cells["Long"] == "x" * 119 + "…"
    assert cells["Foreign"] == "<\u200bimg src=//evil> ![]\u200b(//evil)"
