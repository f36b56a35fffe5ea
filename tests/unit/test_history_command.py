"""`mcqa history`: the runs of a folder as a table, as Markdown, as JSON and as a page."""

import json
from pathlib import Path

import pytest

from flows.commands.cli import main
from tasks.evaluation.leaderboard.leaderboard import make_leaderboard, write_leaderboard
from tests.support.leaderboards import make_cell
from tests.support.past_runs import save_past_run

GOOD, BAD = [1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]


def run(*arguments: object) -> int:
    """Run the command; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["history", *map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder with three runs of two models, one of them unfinished."""
    save_past_run(tmp_path, 1, GOOD, model="m")
    save_past_run(tmp_path, 2, BAD, model="m")
    save_past_run(tmp_path, 3, GOOD, model="n", history_id="h2", unscored=1)
    return tmp_path


def test_the_table_begins_with_the_newest_run(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that nothing stands in is left out."""
    assert run(results) == 0
    assert capsys.readouterr().out == (
        "exam.json\n"
        "time              model  accuracy     95 % interval  n  points  remark              file\n"
        "2026-11-03 02:00  n        0.7500  0.2500 to 0.7500  4          unfinished, 1 left  results_n_20261103_020000.json\n"
        "2026-11-02 02:00  m        0.5000  0.2500 to 0.7500  4   -25.0                      results_m_20261102_020000.json\n"
        "2026-11-01 02:00  m        0.7500  0.2500 to 0.7500  4                              results_m_20261101_020000.json\n"
    )


def test_each_questions_file_has_a_table_of_its_own(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The one that was asked last comes first."""
    save_past_run(results, 4, GOOD, questions_file="exams/law.json", history_id="h3")
    assert run(results, "--format", "markdown") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("## law.json\n\n| time | model | accuracy | 95 % interval | n | file |\n| :--- | :--- | ---: |")
    assert "\n\n## exam.json\n\n| time |" in printed


def test_evaluations_of_one_model_are_told_apart_by_their_settings(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what differs is shown."""
    save_past_run(results, 4, GOOD, model="m", history_id="h3", settings={"model": "m", "extra": {"top_p": 0.5}})
    assert run(results, "--model", "m") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("time              model  settings")
    assert "m      extra.top_p 0.5 " in lines[2]


def test_programs_read_json(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the ids, the settings and the files, and with what was left out."""
    (results / "exam.json").write_text("[]")
    assert run(results, "--model", "m", "--format", "json") == 0
    printed = capsys.readouterr()
    history = json.loads(printed.out)
    assert printed.err == ""
    assert [(each["run_id"], each["difference"], each["mark"]) for each in history["runs"]] == [
        ("run-2", -0.25, None),
        ("run-1", None, None),
    ]
    assert history["runs"][0]["file"] == str(results / "results_m_20261102_020000.json")
    assert history["left_out"] == [{"file": "exam.json", "reason": "not a results file as mcqa-flow writes it"}]


def test_the_page_needs_nothing_and_runs_nothing(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its policy forbids all but its own style; texts from elsewhere are no markup."""
    save_past_run(results, 4, BAD, model="m", questions_file="<script>alert(1)</script>.json")
    page = results / "history.html"
    assert run(results, "--format", "html", "-o", page) == 0
    assert capsys.readouterr().out == f"History of 4 runs in {page}\n"
    text = page.read_text()
    assert text.count('<circle class="dot"') == 3
    assert text.count('<circle class="dot aside"') == 1
    assert text.count('<line class="step"') == 1
    assert "<td><bdi>unfinished, 1 left</bdi></td>" in text
    assert "default-src &#39;none&#39;" in text
    assert "<script" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_no_file_is_replaced_unasked(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It could be the results of a run."""
    file = results / "results_m_20261101_020000.json"
    whole = file.read_bytes()
    assert run(results, "-o", file) == 2
    assert capsys.readouterr().err.startswith(f"mcqa: error: {file} exists already: replace it with --overwrite")
    assert file.read_bytes() == whole
    page = results / "history.md"
    page.write_text("")
    assert run(results, "--format", "markdown", "-o", page, "--overwrite") == 0
    assert page.read_text().startswith("##")


def test_what_is_left_out_is_said(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By reason, with a few names."""
    whole = (results / "results_m_20261101_020000.json").read_bytes()
    for name in "abcde":
        (results / f"{name}.json").write_bytes(whole[:-1])
    assert run(results) == 0
    assert capsys.readouterr().err == "mcqa: Left out, damaged: a.json, b.json, c.json and 2 more\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "o"], "mcqa: error: no run has the model o; there are 'm', 'n'\n"),
        (["--questions", "law.json"], "mcqa: error: no run has the questions law.json; there are 'exam.json'\n"),
    ],
)
def test_a_run_that_is_not_there_is_a_mistake(
    results: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """One line that names those that are."""
    assert run(results, *arguments) == 2
    assert capsys.readouterr().err == message


def test_a_folder_without_runs_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what lies there instead."""
    (tmp_path / "exam.json").write_text("[]")
    assert run(tmp_path) == 2
    advice = "name the output_directory of your runs"
    reason = "Left out, not a results file as mcqa-flow writes it: exam.json"
    assert capsys.readouterr().err == f"mcqa: error: {tmp_path} holds no results of a run: {advice}; {reason}\n"


def test_reports_of_ours_beside_the_results_are_worth_no_word(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A suite's leaderboard, a comparison, and a history: none is a run, and none is damaged."""
    (results / "cells").mkdir()
    cells = [make_cell(results / "cells", "a", GOOD)]
    write_leaderboard(make_leaderboard(cells), results, "suite_leaderboard")
    first, second = sorted(results.glob("results_m_*.json"))
    with pytest.raises(SystemExit):
        main(["compare", str(first), str(second), "--format", "json", "-o", str(results / "comparison.json")])
    assert run(results, "--format", "json", "-o", results / "history.json") == 0
    capsys.readouterr()
    assert run(results) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert len(printed.out.splitlines()) == 5
    assert len(list(results.glob("*.json"))) == 6
