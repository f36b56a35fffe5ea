"""Results are read again from every file that holds them."""

from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.reporting.saved_runs import open_saved_run

ORIGINAL = Path(__file__).parents[1] / "flow/original/checkpoint_exam_argo:fake_20261123_035022.json"
HEAD = '{"metadata": {"mcqa_flow": {"evaluation_id": "e1"}, "statistics": {"selected": 2}}, "results": [\n'
RIGHT = '{"question_id": 1, "question": "Two?", "reference_answer": "2", "model_answer": "2", "score": 1}'
DAMAGED = '{"question_id": 2, "score": 7}'


def write(folder: Path, text: str) -> Path:
    path = folder / "results.json"
    path.write_text(text)
    return path


def test_a_results_file_of_ours_is_read(tmp_path: Path) -> None:
    """Its metadata come from its first line, its records one at a time; what is no score is passed over."""
    run = open_saved_run(write(tmp_path, f"{HEAD}{RIGHT},\n{DAMAGED}\n]}}\n"), "a")
    assert (run.name, run.metadata["statistics"], run.is_original) == ("a", {"selected": 2}, False)
    assert [record["question_id"] for record in run.read_records()] == [1]


def test_a_checkpoint_of_the_original_scorer_is_read() -> None:
    """It names its model; an answer that is an error is a question without an answer."""
    run = open_saved_run(ORIGINAL)
    records = list(run.read_records())
    assert (run.is_original, run.name, run.model) == (True, "fake", "fake")
    assert not any(str(record["model_answer"]).startswith("Error: ") for record in records if not record.get("skipped"))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """A user's mistake is one line."""
    with pytest.raises(UserMistake, match=r"cannot read .*nothing\.json: No such file"):
        open_saved_run(tmp_path / "nothing.json")


@pytest.mark.parametrize("text", ["[]", "{}", '{"metadata": {}, "results": []}', HEAD + "]}\n"])
def test_a_file_without_results_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing can be said about it."""
    with pytest.raises(UserMistake, match="it holds no results"):
        open_saved_run(write(tmp_path, text))


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    """Half of the results are not the results."""
    with pytest.raises(UserMistake, match=r"cannot read .*results\.json: "):
        list(open_saved_run(write(tmp_path, HEAD + RIGHT)).read_records())


def test_a_checkpoint_that_is_replaced_between_two_readings_is_noticed(tmp_path: Path) -> None:
    """A run that goes on puts another file of the same name there, even one of the same size: two readings never mix."""
    run = open_saved_run(write(tmp_path, f"{HEAD}{RIGHT}\n]}}\n"))
    assert len(list(run.read_records())) == 1
    (tmp_path / "new").write_text(f"{HEAD}{RIGHT}\n]}}\n")
    (tmp_path / "new").rename(run.path)
    with pytest.raises(
        UserMistake, match=r"results\.json has changed while it was read, as the checkpoint of a run that goes on"
    ):
        next(run.read_records())


def test_a_file_that_grows_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    """At the end of the reading, before anything is concluded from it."""
    run = open_saved_run(write(tmp_path, f"{HEAD}{RIGHT},\n{RIGHT}\n]}}\n"))
    records = run.read_records()
    next(records)
    with run.path.open("a") as file:
        file.write("\n")
    with pytest.raises(UserMistake, match="has changed while it was read"):
        list(records)


def test_a_link_that_leads_elsewhere_by_now_is_noticed(tmp_path: Path) -> None:
    """As `latest.json` does once another run has saved."""
    link = tmp_path / "latest.json"
    link.symlink_to(write(tmp_path, f"{HEAD}{RIGHT}\n]}}\n"))
    run = open_saved_run(link)
    (tmp_path / "other.json").write_text(f"{HEAD}{RIGHT},\n{RIGHT}\n]}}\n")
    link.unlink()
    link.symlink_to("other.json")
    with pytest.raises(UserMistake, match=r"latest\.json has changed while it was read"):
        list(run.read_records())
