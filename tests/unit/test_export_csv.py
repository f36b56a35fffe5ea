"""`mcqa export --to csv`: what a spreadsheet and pandas read, and what a spreadsheet must not run."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from flows.commands.cli import main
from tasks.evaluation.exporting.csv_file import format_cell
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tests.support.saved_runs import refused, save_results, scored, unusable


def export(folder: Path, *records: JsonObject) -> Path:
    """Export the records, and return the table's path."""
    results = save_results(folder / "results.json", records)
    with pytest.raises(SystemExit) as exit_:
        main(["export", str(results), "--to", "csv"])
    assert exit_.value.code == 0
    return folder / "results.csv"


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_pandas_reads_a_row_for_each_question(tmp_path: Path) -> None:
    """Scores are numbers; a question without a score has an empty cell and its reason."""
    table = pd.read_csv(export(tmp_path, scored(1, 1), scored(2, 0.25), refused(3), unusable(4)))
    assert table["question_id"].tolist() == [1, 2, 3, 4]
    assert table["score"].tolist()[:2] == [1, 0.25]
    assert table["score"].isna().tolist() == [False, False, True, True]
    assert table["error"].tolist()[2:] == ["no", "Missing question or answer"]
    assert table["skipped"].tolist() == [False, False, True, True]


def test_the_choices_have_columns_of_their_own(tmp_path: Path) -> None:
    """By label, beside the question's text as it was asked."""
    [row] = read_rows(export(tmp_path, scored(1, 1)))
    assert row["question"] == "Question 1?\nA) one\nB) two\nC) three\nD) four"
    assert (row["stem"], row["choice.A"], row["choice.D"]) == ("Question 1?", "one", "four")


def test_nested_values_are_columns_too(tmp_path: Path) -> None:
    """Whatever their type is in one question or the next."""
    first = scored(1, 1, fields={"subject": "physics", "source": {"year": 2020, "pages": [1, 2]}})
    one, two = read_rows(export(tmp_path, first, scored(2, 1, fields={"subject": 7, "source": "a book"})))
    assert (one["field.subject"], one["field.source.year"], one["field.source.pages"]) == ("physics", "2020", "[1, 2]")
    assert (two["field.subject"], two["field.source"], two["field.source.year"]) == ("7", "a book", "")


def test_each_repeat_has_columns_of_its_own(tmp_path: Path) -> None:
    """The question's score is their mean."""
    repeats: list[JsonValue] = [{"model_answer": "A", "score": 1, "order": ["B", "A"]}, {"model_answer": "B", "score": 0}]
    [row] = read_rows(export(tmp_path, scored(1, 0.5, repeats=repeats)))
    assert (row["score"], row["repeat.1.score"], row["repeat.2.score"]) == ("0.5", "1", "0")
    assert (row["repeat.2.model_answer"], row["repeat.1.order"]) == ("B", '["B", "A"]')


def test_probabilities_of_tokens_stay_in_one_column(tmp_path: Path) -> None:
    """Their names differ from question to question."""
    [row] = read_rows(export(tmp_path, scored(1, 1, token_logprobs={"A": -0.5, " b": -2.0})))
    assert row["token_logprobs"] == '{"A": -0.5, " b": -2.0}'


def test_fields_with_too_many_names_are_not_taken_apart(tmp_path: Path) -> None:
    """A table has columns for what questions share."""
    fields: list[JsonValue] = [{"seen": {f"user {question} {number}": 1 for number in range(600)}} for question in (1, 2)]
    records = [scored(number, 1, fields=each) for number, each in enumerate(fields, start=1)]
    [row, _] = read_rows(export(tmp_path, *records))
    assert row["field.seen"].startswith('{"user 1 0": 1, ')
    assert len(row) < 30


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "'=1"])
def test_a_spreadsheet_takes_no_text_for_a_formula(text: str) -> None:
    """An apostrophe in front makes it a text; removing it restores the text."""
    assert format_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-5", "+3.5e-7", "a=b", "'tis", "5-3", ""])
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    """A negative number is an answer, not a formula."""
    assert format_cell(text) == text


def test_hostile_texts_stay_in_their_cells(tmp_path: Path) -> None:
    """Quotes, separators, line breaks, emoji and a very long text; what UTF-8 or readers cannot hold is replaced."""
    hostile = '"a",b;c\r\nd\ne\rf\u2028🙂 \x1b[0m' + "long " * 20_000
    one, two = read_rows(export(tmp_path, scored(1, 1, model_answer=hostile), scored(2, 1, model_answer="x\0y\ud800z")))
    assert one["model_answer"] == hostile
    assert two["model_answer"] == "x\ufffdy\ufffdz"


def test_lines_end_as_the_standard_demands(tmp_path: Path) -> None:
    """With CR LF, after a byte order mark for Excel."""
    content = export(tmp_path, unusable(1)).read_bytes()
    assert content.startswith(b"\xef\xbb\xbfquestion_id,score,question,")
    assert content.endswith(b"Missing question or answer\r\n")
    assert content.count(b"\r\n") == 2
