"""`output.formats` and `output.report`: a run leaves its results in other forms as well."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pandas as pd
import pytest

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.run.report import report, write_web_page
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import make_questions, write_questions


@pytest.fixture
def evaluation(evaluation: Evaluation, folder: Path) -> Evaluation:
    """Let it score three questions."""
    write_questions(folder, make_questions(3))
    return evaluation


@pytest.fixture
def written() -> dict[str, Path]:
    """Hold the files' paths by kind."""
    return {}


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let this process write no larger file: the page is larger, all else is smaller."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_run_writes_the_formats_beside_its_results(
    evaluation: Evaluation, written: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the results' name, with the format's ending; a line says where."""
    with evaluation.open({"output.formats": ["parquet", "lm-eval"]}, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        report(run, written)
    assert written["parquet"] == written["results"].with_suffix(".parquet")
    assert pd.read_parquet(written["parquet"])["question_id"].tolist() == [1, 2, 3]
    assert len(list(written["lm-eval"].glob("fake/*"))) == 2
    assert f"Results saved as parquet to {written['parquet']}" in capsys.readouterr().out


def test_a_run_writes_its_report_beside_its_results(
    evaluation: Evaluation, written: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A web page under the results' name; a line says where."""
    with evaluation.open({"output.report": True}, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        report(run, written)
    assert written["report"] == written["results"].with_suffix(".html")
    assert "of 3 questions right</h1>" in written["report"].read_text()
    assert f"Report saved to {written['report']}" in capsys.readouterr().out


def test_a_run_that_people_look_at_in_a_browser_writes_its_report_unasked(
    evaluation: Evaluation, written: dict[str, Path]
) -> None:
    """As all runs of a deployment: the link in the UI then leads to something that can be read."""
    with evaluation.open({}, run_id="first") as run:
        run.is_shown = True
        [run.score(batch) for batch in run.batches.list_open()]
        report(run, written)
    assert written["report"].exists()


def test_a_report_of_very_many_questions_must_be_asked_for(
    evaluation: Evaluation, written: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody waits minutes at the end of a run for what nobody wanted."""
    with evaluation.open({}, run_id="first") as run:
        run.is_shown = True
        [run.score(batch) for batch in run.batches.list_open()]
        report(run, written)
        written.pop("report")
        write_web_page(run, written, most_unasked=2)
    assert "report" not in written
    assert "No web page of 3 questions, since output.report does not ask for one" in capsys.readouterr().out


def test_a_report_that_is_not_wanted_is_not_written(evaluation: Evaluation, written: dict[str, Path]) -> None:
    """The settings have the last word."""
    with evaluation.open({"output.report": False}, run_id="first") as run:
        run.is_shown = True
        [run.score(batch) for batch in run.batches.list_open()]
        report(run, written)
    assert set(written) == {"results", "config"}


@pytest.mark.parametrize("asked", [None, True])
def test_a_report_that_cannot_be_written_fails_the_run_only_if_it_was_asked_for(
    evaluation: Evaluation, written: dict[str, Path], asked: bool | None
) -> None:
    """All scores are in the results, which nobody would take for failed."""
    with evaluation.open({"output.report": asked}, run_id="first") as run:
        run.is_shown = True
        [run.score(batch) for batch in run.batches.list_open()]
        expected = pytest.raises(StorageFailure, match="File too large") if asked else nullcontext()
        with largest_file(20_000), expected:
            report(run, written)
    assert set(written) == {"results", "config"}


def test_without_the_settings_neither_is_written(evaluation: Evaluation, written: dict[str, Path]) -> None:
    """The results and the settings alone."""
    with evaluation.open({}, run_id="first") as run:
        [run.score(batch) for batch in run.batches.list_open()]
        report(run, written)
    assert set(written) == {"results", "config"}


def test_a_run_without_results_says_why_nothing_is_exported(
    evaluation: Evaluation, written: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The results themselves are written as always."""
    with evaluation.open({"output.formats": ["csv"]}, run_id="first") as run:
        report(run, written)
    assert set(written) == {"results", "config"}
    assert "⚠️ Results not saved as csv: " in capsys.readouterr().out


def test_a_file_that_cannot_be_written_hides_none_of_the_others(evaluation: Evaluation, written: dict[str, Path]) -> None:
    """What the UI shows at the end names the results though the run then fails."""
    with (
        evaluation.open({"output.junit": "no/such/folder/gates.xml"}, run_id="first") as run,
        pytest.raises(StorageFailure, match=r"cannot write no/such/folder/gates\.xml: No such file"),
    ):
        report(run, written)
    assert set(written) == {"results", "config"}
