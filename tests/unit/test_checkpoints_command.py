"""`mcqa checkpoints`: what the folder holds, whether it is sound, whether it fits, and what may go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.saved_checkpoints import ORIGINAL, hold_lock, run, run_json, save

pytestmark = pytest.mark.usefixtures("checkpoint_folder")


def test_list_shows_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, with progress and state; a damaged one with its reason."""
    save(5, hour=8)
    save(12, hour=9)
    Path("checkpoints/checkpoint_torn.json").write_text('{"timestamp": "2026')
    code, printed = run(capsys, "list")
    assert code == 0
    head, newest, older, torn = printed.splitlines()
    assert head.split() == ["file", "time", "model", "questions", "progress", "size", "state"]
    assert newest.startswith("checkpoint_exam_fake_20261123_090000.json  2026-11-23 09:00:00  fake   exam.json  12/12 (100.0%)")
    assert newest.endswith("kB  finished, latest")
    assert "5/12 (41.7%)" in older
    assert older.endswith("unfinished")
    assert torn.startswith("checkpoint_torn.json")
    assert "damaged: line 1, column 15: Unterminated string" in torn


def test_list_gives_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With the same facts under fixed names."""
    path = save(5, hour=8)
    Path("checkpoints/checkpoint_torn.json").write_text("")
    [whole, torn] = run_json(capsys, "list")
    assert whole["file"] == str(path)
    assert (whole["completed_count"], whole["selected_count"], whole["state"]) == (5, 12, "unfinished")
    assert (whole["is_latest"], whole["size_bytes"]) == (True, path.stat().st_size)
    assert torn == {
        "file": "checkpoints/checkpoint_torn.json",
        "state": "damaged",
        "reason": "it is empty",
        "size_bytes": 0,
    }


def test_list_of_an_empty_directory_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Which is no mistake."""
    assert run(capsys, "list") == (0, "No checkpoints in checkpoints\n")


def test_list_shows_which_one_is_in_work(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest of an evaluation whose lock is held."""
    save(5, hour=8)
    newest = save(6, hour=9)
    with hold_lock(newest):
        assert [each["state"] for each in run_json(capsys, "list")] == ["running", "unfinished"]


def test_list_bears_a_closed_pipe() -> None:
    """As `| head` closes it; a mistake in Python's own words would follow."""
    save(5, hour=8)
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("mcqa")), "checkpoints", "list"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=150,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_the_command_is_quick_to_start() -> None:
    """It imports none of what takes long."""
    save(5, hour=8)
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(sorted({'prefect', 'pandas', 'openai'} & sys.modules.keys())))\n"
        "from flows.commands.cli import main\n"
        "main(['checkpoints', 'list'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=150, check=True)
    assert ended.stdout.endswith("[]\n")


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A file from elsewhere may hold any."""
    path = save(5, hour=8)
    path.write_text(path.read_text().replace('"model": "fake"', r'"model": "fa\u001b[31mke"'))
    assert "fa?[31mke" in run(capsys, "list")[1]


def test_show_says_what_a_checkpoint_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """Found by its name in the directory; latest.json is shown as what it is a link to."""
    save(4, hour=8, refused=1, random_selection=10, random_seed=7)
    code, printed = run(capsys, "show", "latest.json")
    assert code == 0
    assert printed.splitlines()[:8] == [
        "Checkpoint:         checkpoints/checkpoint_exam_fake_20261123_080000.json",
        "Time:               2026-11-23T08:00:00",
        "Model:              fake",
        "Questions:          exam.json",
        "Sample:             10 drawn with seed 7",
        "Progress:           5/10 (50.0%), unfinished",
        "Accuracy:           1.0000, 95 % interval 0.5101 to 1.0000 (4 of 4 questions)",
        "Refused or skipped: 1",
    ]


def test_show_counts_the_results_of_the_original(capsys: pytest.CaptureFixture[str]) -> None:
    """It keeps no statistics: scores are counted, its stored errors are recognised."""
    shown = run_json(capsys, "show", str(ORIGINAL))
    assert (shown["completed_count"], shown["selected_count"], shown["state"]) == (5, None, "unknown")
    assert (shown["scored"], shown["refused"], shown["failed"]) == (3, 1, 1)
    assert shown["accuracy"] == pytest.approx(2 / 3)
    assert shown["standard_error"] == pytest.approx(1 / 3)
    assert shown["evaluation_id"] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--checkpoint-dir", "none"], "there is no directory none"),
        (["prune", "--keep", "1", "--checkpoint-dir", "none"], "there is no directory none"),
        (["prune", "--keep", "0"], "0 is not 1 or more"),
        (["prune"], "--keep"),
        (["show", "none.json"], "there is no file none.json, nor checkpoints/none.json"),
        (["show", "torn.json"], "checkpoints/torn.json is damaged: line 1, column"),
        (["validate", "exam.json"], "exam.json is no checkpoint"),
        (["validate", "checkpoint_exam_fake_20261123_080000.json", "--config", "none.yaml"], "cannot read none.yaml"),
    ],
)
def test_a_mistake_is_one_message(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """And exit code 2."""
    save(5, hour=8)
    Path("checkpoints/torn.json").write_text('{"timestamp": "2026')
    code, printed = run(capsys, *arguments)
    assert code == 2
    assert message in printed
