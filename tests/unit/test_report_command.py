"""`mcqa report`: which runs and outputs it takes, and what it prints."""

from pathlib import Path

import pytest

from flows.commands.cli import main
from tests.support.saved_runs import refused, save_results, score_all, scored


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with two runs on four questions, one of which the second run refused."""
    monkeypatch.chdir(tmp_path)
    save_results(Path("old.json"), score_all([1, 1, 0, 1]))
    save_results(Path("new.json"), [*score_all([1, 0, 0]), {**refused(4), "question": scored(4, 1)["question"]}])


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, output and errors."""
    with pytest.raises(SystemExit) as end:
        main(["report", *arguments])
    printed = capsys.readouterr()
    return int(str(end.value.code)), printed.out, printed.err


def test_a_page_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """As report.html, unless another name is given."""
    code, printed, errors = run(capsys, "old=old.json", "new=new.json")
    assert (code, errors) == (0, "")
    assert printed.startswith("Report on 4 questions in report.html (0.1 MB)")
    assert Path("report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_one_to_six_runs_stand_side_by_side(capsys: pytest.CaptureFixture[str], count: int) -> None:
    """Each under its own name."""
    names = ["run1=old.json", "run2=new.json", "run3=old.json", "run4=new.json", "run5=old.json", "run6=new.json"]
    code, _, errors = run(capsys, *names[:count])
    assert (code, errors) == (0, "")
    page = Path("report.html").read_text()
    assert [f"run{number}" in page for number in range(1, 8)] == [number <= count for number in range(1, 8)]


def test_seven_runs_are_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written."""
    code, _, errors = run(capsys, *["old.json"] * 7)
    assert (code, errors) == (2, "mcqa: error: a report shows one to 6 runs side by side, not 7\n")
    assert not Path("report.html").exists()


def test_runs_with_nothing_in_common_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to hold side by side."""
    save_results(Path("other.json"), score_all([1, 1], first=50))
    code, _, errors = run(capsys, "old=old.json", "other=other.json")
    assert code == 2
    assert "nothing to compare: no question is scored in all of these runs" in errors


def test_an_older_report_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    """The command can be repeated."""
    assert run(capsys, "old.json")[0] == 0
    assert run(capsys, "new.json")[0] == 0


def test_no_other_file_is_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    """Such as results that were meant to be read."""
    before = Path("new.json").read_bytes()
    code, _, errors = run(capsys, "old.json", "-o", "new.json")
    assert (code, errors) == (
        2,
        "mcqa: error: cannot write new.json: it exists, and is not a report; give another name with -o\n",
    )
    assert Path("new.json").read_bytes() == before


@pytest.mark.parametrize(
    ("output", "reason"),
    [(".", "it is a folder; give another name with -o"), ("missing/report.html", "the folder missing does not exist")],
)
def test_an_output_that_cannot_be_a_page_is_a_mistake(capsys: pytest.CaptureFixture[str], output: str, reason: str) -> None:
    """With the reason."""
    code, _, errors = run(capsys, "old.json", "-o", output)
    assert (code, errors) == (2, f"mcqa: error: cannot write {output}: {reason}\n")


def test_a_damaged_file_leaves_no_page(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor anything else in the folder."""
    Path("old.json").write_bytes(Path("old.json").read_bytes()[:-40])
    code, _, errors = run(capsys, "old.json")
    assert code == 2
    assert "cannot read old.json" in errors
    assert sorted(path.name for path in Path().iterdir()) == ["new.json", "old.json"]
