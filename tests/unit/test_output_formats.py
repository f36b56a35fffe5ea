"""`output.formats`: a run leaves its results in other tools' formats as well."""

from pathlib import Path

import pandas as pd
import pytest

from tasks.evaluation.run.report import report
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import make_questions, write_questions


def test_a_run_writes_the_formats_beside_its_results(
    evaluation: Evaluation, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the results' name, with the format's ending; a line says where."""
    write_questions(folder, make_questions(3))
    with evaluation.open({"output.formats": ["parquet", "lm-eval"]}, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        written = report(run)
    assert written["parquet"] == written["results"].with_suffix(".parquet")
    assert pd.read_parquet(written["parquet"])["question_id"].tolist() == [1, 2, 3]
    assert len(list(written["lm-eval"].glob("fake/*"))) == 2
    assert f"Results saved as parquet to {written['parquet']}" in capsys.readouterr().out


def test_without_the_setting_no_format_is_written(evaluation: Evaluation, folder: Path) -> None:
    """The results and the settings alone."""
    write_questions(folder, make_questions(3))
    with evaluation.open({}, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        assert set(report(run)) == {"results", "config"}


def test_a_run_without_results_says_why_nothing_is_exported(
    evaluation: Evaluation, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The results themselves are written as always."""
    write_questions(folder, make_questions(3))
    with evaluation.open({"output.formats": ["csv"]}, run_id="first") as run:
        written = report(run)
    assert set(written) == {"results", "config"}
    assert "Results not saved as csv: " in capsys.readouterr().out
