"""The runs of a folder: which files are runs, which of them count, and how each stands beside the one before it."""

import os
from pathlib import Path

import pytest

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.history.evaluations import History, read_history, select
from tasks.evaluation.history.past_runs import CHECKPOINT, DAMAGED, EARLIER, FOREIGN
from tests.support.past_runs import save_past_run
from tests.support.saved_runs import describe_run, save_checkpoint, save_original, save_results, score_all

GOOD, BAD = [1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0]


def describe(history: History) -> list[tuple[int, str, float | None]]:
    """Return each run's day, its mark, and its difference from the run before."""
    return [(entry.run.time.day, entry.mark, entry.difference) for entry in history.entries]


def test_runs_stand_in_the_order_of_their_time_with_the_difference_to_the_one_before(tmp_path: Path) -> None:
    """Whatever their files are called."""
    save_past_run(tmp_path, 2, BAD).rename(tmp_path / "a.json")
    save_past_run(tmp_path, 1, GOOD).rename(tmp_path / "b.json")
    save_past_run(tmp_path, 3, GOOD).rename(tmp_path / "c.json")
    assert describe(read_history(tmp_path)) == [(1, "", None), (2, "", -0.25), (3, "", 0.25)]


def test_runs_of_several_time_zones_stand_in_their_true_order(tmp_path: Path) -> None:
    """Each is shown with the time of its own clock; a file that does not say its zone was written in that of this machine."""
    save_past_run(tmp_path, 1, BAD, started_at="2026-11-01T02:00:00-06:00")
    save_past_run(tmp_path, 2, GOOD, started_at="2026-11-01T07:00:00+00:00")
    save_past_run(tmp_path, 3, GOOD)
    runs = [entry.run for entry in read_history(tmp_path).entries]
    assert [run.run_id for run in runs] == ["run-2", "run-1", "run-3"]
    assert [f"{run.time:%H:%M}" for run in runs] == ["07:00", "02:00", "02:00"]


def test_runs_that_began_while_the_clocks_went_back_stand_in_their_true_order(tmp_path: Path) -> None:
    """Their local times alone would say the opposite."""
    save_past_run(tmp_path, 1, GOOD, started_at="2026-10-25T02:40:00+02:00")
    save_past_run(tmp_path, 2, BAD, started_at="2026-10-25T02:10:00+01:00")
    assert [entry.run.run_id for entry in read_history(tmp_path).entries] == ["run-1", "run-2"]


def test_a_run_that_measures_something_else_has_a_history_of_its_own(tmp_path: Path) -> None:
    """Two models are not compared here, nor two prompts of one model."""
    save_past_run(tmp_path, 1, GOOD)
    save_past_run(tmp_path, 2, BAD, history_id="h2")
    save_past_run(tmp_path, 3, BAD)
    assert describe(read_history(tmp_path)) == [(1, "", None), (2, "", None), (3, "", -0.25)]


def test_what_is_no_whole_measurement_is_marked_and_passed_over(tmp_path: Path) -> None:
    """Neither is it a run before, nor has it one."""
    save_past_run(tmp_path, 1, GOOD)
    save_past_run(tmp_path, 2, BAD, unscored=3)
    save_past_run(tmp_path, 3, BAD, limit=4)
    save_past_run(tmp_path, 4, [], refused_count=4)
    save_past_run(tmp_path, 5, BAD)
    assert describe(read_history(tmp_path)) == [
        (1, "", None),
        (2, "unfinished", None),
        (3, "limited", None),
        (4, "nothing scored", None),
        (5, "", -0.25),
    ]


def test_a_limit_that_cuts_nothing_limits_nothing(tmp_path: Path) -> None:
    """The file has fewer questions than that."""
    save_past_run(tmp_path, 1, GOOD, limit=500, selection={"file_count": 4, "selected_count": 4, "limit": 500})
    assert describe(read_history(tmp_path)) == [(1, "", None)]


def test_answers_that_were_reused_are_no_measurement_of_their_own(tmp_path: Path) -> None:
    """A run that reuses a finished one's answers says nothing new."""
    save_past_run(tmp_path, 1, GOOD, salt="")
    save_past_run(tmp_path, 2, GOOD, salt="", reused_count=4)
    save_past_run(tmp_path, 3, GOOD, salt="", reused_count=3)
    assert describe(read_history(tmp_path)) == [(1, "", None), (2, "answers reused", None), (3, "answers reused", None)]


def test_a_run_that_continues_an_unfinished_one_counts(tmp_path: Path) -> None:
    """Both together asked each question once, also where a finished run came before that they know nothing of."""
    save_past_run(tmp_path, 1, GOOD, salt="")
    save_past_run(tmp_path, 2, GOOD, salt="", unscored=2)
    save_past_run(tmp_path, 3, BAD, salt="", reused_count=4)
    assert describe(read_history(tmp_path)) == [(1, "", None), (2, "unfinished", None), (3, "", -0.25)]


def test_other_files_are_left_out_with_the_reason(tmp_path: Path) -> None:
    """Damaged, foreign, of the original scorer, of an earlier version; a file of wrong answers is not worth a word."""
    path = save_past_run(tmp_path, 1, GOOD)
    (tmp_path / "copy.json").write_bytes(path.read_bytes())
    (tmp_path / "cut.json").write_bytes(path.read_bytes()[:-9])
    (tmp_path / "cut_head.json").write_bytes(path.read_bytes()[:99])
    (tmp_path / "empty.json").write_bytes(b"")
    (tmp_path / "exam.json").write_text('[{"question": "Why?"}]')
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    save_results(tmp_path / "old.json", score_all(GOOD))
    save_original(tmp_path / "original.json", score_all(GOOD))
    save_checkpoint(tmp_path / "checkpoint.json", score_all(GOOD), describe_run(4))
    (tmp_path / "results_incorrect_some-model_20261101_020000.json").write_bytes(path.read_bytes())
    (tmp_path / "results_config_some-model_20261101_020000.yaml").write_text("model: {}")
    history = read_history(tmp_path)
    assert describe(history) == [(1, "", None)]
    assert {each.name: each.reason for each in history.left_out} == {
        path.name: "a copy of copy.json",
        "checkpoint.json": CHECKPOINT,
        "cut.json": DAMAGED,
        "cut_head.json": DAMAGED,
        "empty.json": FOREIGN,
        "exam.json": FOREIGN,
        "folder.json": FOREIGN,
        "old.json": EARLIER,
        "original.json": CHECKPOINT,
        "pipe.json": FOREIGN,
    }


def test_a_history_can_be_of_one_questions_file_and_one_model(tmp_path: Path) -> None:
    """The file by its path or its name."""
    save_past_run(tmp_path, 1, GOOD, questions_file="exams/law.json")
    save_past_run(tmp_path, 2, GOOD, model="other", history_id="h2")
    history = read_history(tmp_path)
    assert describe(select(history, questions="law.json")) == [(1, "", None)]
    assert describe(select(history, questions="exams/law.json")) == [(1, "", None)]
    assert describe(select(history, model="other")) == [(2, "", None)]
    with pytest.raises(UserMistake, match=r"no run has the questions chess\.json; there are 'law\.json', 'exam\.json'"):
        select(history, questions="chess.json")
    with pytest.raises(UserMistake, match=r"no run has the model other; there are 'some-model'"):
        select(history, questions="law.json", model="other")


def test_a_folder_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    """One clear message."""
    with pytest.raises(UserMistake, match=r"cannot read the folder .*nowhere: No such file or directory"):
        read_history(tmp_path / "nowhere")
