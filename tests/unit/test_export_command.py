"""`mcqa export`: what it reads, where it writes, and what it refuses."""

import json
import re
import tracemalloc
from pathlib import Path

import pytest

from flows.commands.cli import main
from tasks.evaluation.config.export_formats import EXPORT_FORMATS
from tests.support.saved_runs import describe_run, save_checkpoint, save_original, save_results, score_all, scored

ORIGINAL = Path(__file__).parents[1] / "flow/original/checkpoint_exam_argo:fake_20261123_035022.json"


def run(*arguments: object) -> int:
    """Return the exit code of `mcqa export` with these arguments."""
    with pytest.raises(SystemExit) as exit_:
        main(["export", *map(str, arguments)])
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


def read_lines(path: Path) -> list[object]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_lines_hold_the_records_as_they_are(tmp_path: Path) -> None:
    """Byte for byte the same values, half a surrogate pair included."""
    records = [scored(1, 1, fields={"a": {"b": [1, None, "\ud800\0"]}}), scored(2, 0.5, model_answer="é🙂\r\n\u2028")]
    results = save_results(tmp_path / "results.json", records)
    assert run(results, "--to", "jsonl", "-o", tmp_path / "out.jsonl") == 0
    assert read_lines(tmp_path / "out.jsonl") == records


def test_a_checkpoint_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside itself, when no name is given."""
    checkpoint = save_checkpoint(tmp_path / "checkpoint_a.json", score_all([1, 0]), describe_run(2))
    assert run(checkpoint, "--to", "jsonl") == 0
    assert len(read_lines(tmp_path / "checkpoint_a.jsonl")) == 2
    assert capsys.readouterr().out == f"Exported 2 questions to {tmp_path}/checkpoint_a.jsonl\n"


def test_a_compressed_file_of_the_original_scorer_is_exported(tmp_path: Path) -> None:
    """It ends in the format's name alone."""
    plain = save_original(tmp_path / "plain.json", score_all([1, 0, 1]))
    compressed = save_results(tmp_path / "old.json.gz", score_all([1, 0, 1]))
    assert (run(plain, "--to", "jsonl"), run(compressed, "--to", "csv")) == (0, 0)
    assert list_names(tmp_path) == ["old.csv", "old.json.gz", "plain.json", "plain.jsonl"]


@pytest.mark.parametrize("to", EXPORT_FORMATS)
def test_a_real_file_of_the_original_scorer_is_exported(to: str, tmp_path: Path) -> None:
    """With the questions that it skipped."""
    assert run(ORIGINAL, "--to", to, "-o", tmp_path / "out") == 0
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert min(path.stat().st_size for path in written) > 1_000


def test_a_file_that_exists_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody may have worked in it; --overwrite replaces it."""
    results = save_results(tmp_path / "results.json", score_all([1]))
    (tmp_path / "results.csv").write_text("mine")
    assert run(results, "--to", "csv") == 2
    assert "exists already: replace it with --overwrite" in capsys.readouterr().err
    assert (tmp_path / "results.csv").read_text() == "mine"
    assert run(results, "--to", "csv", "--overwrite") == 0
    assert "question_id" in (tmp_path / "results.csv").read_text()


def test_the_results_are_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even with --overwrite."""
    results = save_results(tmp_path / "results.json", score_all([1]))
    before = results.read_bytes()
    assert run(results, "--to", "jsonl", "-o", results, "--overwrite") == 2
    assert "it is the file that is read" in capsys.readouterr().err
    assert results.read_bytes() == before


@pytest.mark.parametrize(
    ("output", "message"),
    [("missing/out.csv", "the folder .*missing does not exist"), (".", "it is a folder; give another name with -o")],
)
def test_an_output_that_cannot_be_is_a_mistake(
    output: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says why."""
    results = save_results(tmp_path / "results.json", score_all([1]))
    assert run(results, "--to", "csv", "-o", tmp_path / output) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert re.fullmatch(f"mcqa: error: cannot write .*: {message}", line)


def test_an_unknown_format_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names those that there are."""
    results = save_results(tmp_path / "results.json", score_all([1]))
    assert run(results, "--to", "xlsx") == 2
    assert "invalid choice: 'xlsx' (choose from 'csv', 'parquet', 'jsonl', 'inspect', 'lm-eval')" in capsys.readouterr().err


def test_results_that_are_none_are_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written, not even an empty table."""
    results = save_results(tmp_path / "results.json", [{"question_id": 1, "score": 7}])
    assert run(results, "--to", "csv") == 2
    assert "nothing to export" in capsys.readouterr().err
    assert list_names(tmp_path) == ["results.json"]


def test_a_damaged_file_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the results are not the results, and an older export stays."""
    results = save_results(tmp_path / "results.json", score_all([1, 0, 1]))
    results.write_bytes(results.read_bytes()[:-40])
    (tmp_path / "results.jsonl").write_text("older")
    assert run(results, "--to", "jsonl", "--overwrite") == 2
    assert "cannot read" in capsys.readouterr().err
    assert (list_names(tmp_path), (tmp_path / "results.jsonl").read_text()) == (["results.json", "results.jsonl"], "older")


def test_a_disk_that_does_not_take_it_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command works once that is mended."""
    results = save_results(tmp_path / "results.json", score_all([1]))
    assert run(results, "--to", "csv", "-o", "/proc/out.csv") == 1
    assert re.fullmatch("mcqa: cannot write /proc/out.csv: .+; make room or fix the folder.*\n", capsys.readouterr().err)


@pytest.mark.parametrize("to", EXPORT_FORMATS)
def test_memory_does_not_grow_with_the_number_of_questions(to: str, tmp_path: Path) -> None:
    """A file of 15 MB takes a few megabytes of objects, as one of any size does."""
    texts = {"model_answer": "because " * 300}
    results = save_results(tmp_path / "results.json", [scored(number, 1, **texts) for number in range(1, 5_001)])
    tracemalloc.start()
    try:
        assert run(results, "--to", to) == 0
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert results.stat().st_size > 13_000_000
    assert peak_bytes < 8_000_000


@pytest.mark.parametrize("to", EXPORT_FORMATS)
def test_names_that_no_file_can_have_are_no_obstacle(to: str, tmp_path: Path) -> None:
    """A model or an id with half a surrogate pair, or with a path in it."""
    records = [{**scored(1, 1), "question_id": "a/\ud800"}]
    results = save_results(tmp_path / "results.json", records, describe_run(1, model="../\ud800\n"))
    assert run(results, "--to", to) == 0
    assert len(list_names(tmp_path)) == 2
