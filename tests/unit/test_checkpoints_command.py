"""`mcqa checkpoints`: what the folder holds, whether it is sound, whether it fits, and what may go."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from tasks.evaluation.fit import NoKeys
from tasks.evaluation.keeping.checkpoint import CheckpointWriter
from tasks.evaluation.preparation import find_endpoints, prepare
from tasks.evaluation.records import Answer, Grade, Refusal, build_refused, build_result
from tasks.evaluation.reporting.report import compute_statistics
from tasks.evaluation.settings.loading import load_config
from tasks.evaluation.settings.overrides import Overrides
from tests.fake_endpoint import make_questions, write_config, write_questions

URL = "http://127.0.0.1:9/v1"
ORIGINAL = Path(__file__).parent.parent / "flow/original/checkpoint_exam_argo:fake_20261123_035022.json"
ANSWER = Answer("The answer is B.", None, {}, "stop", "fake", 0.1)
GRADE = Grade({"score": 1, "format": "mc"}, {}, 0.0)


@pytest.fixture(autouse=True)
def surroundings(folder: Path) -> None:
    """Twelve questions, a configuration, and an empty checkpoint directory."""
    write_questions(folder, make_questions(12))
    write_config(folder, URL)
    (folder / "checkpoints").mkdir()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The command's exit code and all that it prints."""
    with pytest.raises(SystemExit) as end:
        main(["checkpoints", *arguments])
    printed = capsys.readouterr()
    return int(str(end.value.code)), printed.out + printed.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json")[1])


def save(scored: int, hour: int, *, refused: int = 0, run_id: str = "", **settings: object) -> Path:
    """A checkpoint of the first questions of the evaluation that config.yaml with these settings describes."""
    config = load_config("config.yaml", Overrides.model_validate(settings))
    preparation = prepare(config, find_endpoints(config, Path(), NoKeys()), own_folder=None, run_id=run_id, say=print)
    with closing(preparation.ledger) as ledger:
        for position in range(scored + refused):
            question, ids = ledger.questions[position], ledger.ids(position)
            assert question
            refusal = build_refused(ids, question, Refusal("no", {}), None)
            ledger.finish(position, build_result(ids, question, ANSWER, GRADE) if position < scored else refusal)
        writer = CheckpointWriter(
            Path("checkpoints"),
            "checkpoint_exam_fake",
            ledger.results,
            lambda _: {"statistics": compute_statistics(ledger).to_json(), "mcqa_flow": preparation.describe()},
            config.for_files(),
        )
        writer.save(datetime(2026, 11, 23, hour))  # noqa: DTZ001 - the documented times are local
        assert writer.path
        return writer.path


def edit(path: Path, **members: object) -> None:
    """Put other members into a checkpoint."""
    path.write_text(json.dumps(json.loads(path.read_text()) | members))


def names() -> list[str]:
    return sorted(path.name for path in Path("checkpoints").glob("checkpoint*"))


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
        timeout=60,
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
        "from flows.cli import main\n"
        "main(['checkpoints', 'list'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
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
        "Accuracy:           1.0000 ± 0.0000 (4 of 4 questions)",
        "Refused or skipped: 1",
    ]


def test_show_counts_the_results_of_the_original(capsys: pytest.CaptureFixture[str]) -> None:
    """It keeps no statistics: scores are counted, its stored errors are told apart."""
    shown = run_json(capsys, "show", str(ORIGINAL))
    assert (shown["completed_count"], shown["selected_count"], shown["state"]) == (5, None, "unknown")
    assert (shown["scored"], shown["refused"], shown["failed"]) == (3, 1, 1)
    assert shown["accuracy"] == pytest.approx(2 / 3)
    assert shown["standard_error"] == pytest.approx(1 / 3)
    assert shown["evaluation_id"] == ""


def test_a_sound_checkpoint_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours and the original's, compressed or not."""
    path = save(5, hour=8, refused=1)
    assert run(capsys, "validate", str(path)) == (0, f"{path}: sound, 6 results\n")
    assert run(capsys, "validate", str(ORIGINAL))[0] == 0


def with_results(path: Path, change: str) -> None:
    """Give the checkpoint's second result a fault."""
    results = json.loads(path.read_text())["results"]
    first, second = results[:2]
    changed = {
        "the question of the first": second | {"score_id": first["score_id"]},
        "the number of the first": second | {"question_id": 1},
        "another number": second | {"question_id": 9},
        "no number": second | {"question_id": None},
        "no id": {key: value for key, value in second.items() if key != "answer_id"},
        "no score": {key: value for key, value in second.items() if key != "score"},
    }
    edit(path, results=[first, changed[change], *results[2:]])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("the question of the first", "a question that an earlier result holds too: result 2"),
        ("the number of the first", "a question_id that an earlier result has too: result 2"),
        ("another number", "completed_indices names other questions than the results do"),
        ("no number", "no question_id: result 2"),
        ("no id", "no answer_id or score_id: result 2"),
        ("no score", "neither score nor skipped: result 2"),
    ],
)
def test_each_fault_is_named(capsys: pytest.CaptureFixture[str], change: str, fault: str) -> None:
    """With the place of the result, and exit code 1."""
    path = save(5, hour=8)
    with_results(path, change)
    code, printed = run(capsys, "validate", str(path))
    assert code == 1
    assert f"{path}: not sound\n  {fault}" in printed


def test_counts_that_disagree_are_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that lists more questions than it holds."""
    path = save(5, hour=8)
    edit(path, completed_count=6)
    code, printed = run(capsys, "validate", str(path))
    assert (code, printed) == (
        1,
        f"{path}: not sound\n  it is damaged: completed_count is 6, but it has 5 completed_indices and 5 results\n",
    )


def test_damage_in_the_middle_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Where `list`, which reads the ends of a file, does not look."""
    path = save(5, hour=8)
    path.write_text(path.read_text().replace('"question_id":3,', '"question_id":3', 1))
    assert [each["state"] for each in run_json(capsys, "list")] == ["unfinished"]
    code, printed = run(capsys, "validate", str(path))
    assert code == 1
    assert "it is damaged: line 4, column" in printed


def test_a_fit_is_told_in_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """How many questions are finished, and what would be asked; no key is needed for that, and nothing is written."""
    path = save(5, hour=8)
    before = sorted(Path().rglob("*"))
    code, printed = run(capsys, "validate", str(path), "--config", "config.yaml")
    assert code == 0
    assert printed.splitlines()[1:] == [
        "It fits config.yaml. Of the 12 questions that a run selects:",
        "  finished by it: 5",
        "  its answer reused, to be graded anew: 0",
        "  to be asked: 7",
    ]
    assert sorted(Path().rglob("*")) == before


def test_answers_that_are_graded_anew_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Another grader reuses them."""
    path = save(5, hour=8)
    write_config(Path(), URL, name="graded.yaml", grader=True)
    verdict = run_json(capsys, "validate", str(path), "--config", "graded.yaml")
    assert verdict["is_sound"]
    assert {name: verdict["fit"][name] for name in ("selected", "finished", "graded_anew", "to_ask")} == {
        "selected": 12,
        "finished": 0,
        "graded_anew": 5,
        "to_ask": 7,
    }


def test_a_misfit_names_each_setting_with_both_values(capsys: pytest.CaptureFixture[str]) -> None:
    """And the exit code is 1."""
    path = save(5, hour=8)
    settings = Path("config.yaml").read_text().replace("model: fake,", "model: llama-8b, temperature: 0.5,")
    Path("other.yaml").write_text(settings)
    code, printed = run(capsys, "validate", str(path), "--config", "other.yaml")
    assert code == 1
    assert printed.splitlines()[1:] == [
        "It does not fit other.yaml:",
        "  model is 'fake' there and 'llama-8b' here",
        "  temperature is 0.0 there and 0.5 here",
    ]


@pytest.mark.parametrize(("other", "named"), [(bytes(20), "size_bytes is 10 there and 20 here"), (b"0" * 10, "digest is ")])
def test_a_misfit_names_other_weights_under_the_same_name(capsys: pytest.CaptureFixture[str], other: bytes, named: str) -> None:
    """Those of a server that the run starts itself: no other setting tells them apart, and perhaps not even their size."""
    settings = Path("config.yaml").read_text()
    Path("config.yaml").write_text(settings.replace("openai", "llamacpp").replace("model: fake,", "model: tiny.gguf,"))
    Path("tiny.gguf").write_bytes(bytes(10))
    path = save(5, hour=8)
    Path("tiny.gguf").write_bytes(other)
    code, printed = run(capsys, "validate", str(path), "--config", "config.yaml")
    assert code == 1
    assert f"  weights.{named}" in printed


def test_an_empty_checkpoint_is_sound_and_of_no_use(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the one that a run writes before its first question."""
    path = save(0, hour=8)
    code, printed = run(capsys, "validate", str(path), "--config", "config.yaml")
    assert code == 1
    assert printed == f"{path}: sound, 0 results\nIt does not fit config.yaml:\n  it holds no results yet\n"


def test_the_checkpoint_of_a_run_that_shares_nothing_fits_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """As it does with --resume-from."""
    path = save(5, hour=8, run_id="a run", auto_resume=False)
    assert run_json(capsys, "validate", str(path), "--config", "config.yaml")["fit"]["finished"] == 5


def test_the_originals_checkpoint_fits_what_it_was_made_with(capsys: pytest.CaptureFixture[str]) -> None:
    """What it had skipped, or stored as an error, would be asked again."""
    write_questions(Path(), [*make_questions(4), {"question": "Question 5?"}])
    verdict = run_json(capsys, "validate", str(ORIGINAL), "--config", "config.yaml")
    assert (verdict["fit"]["finished"], verdict["fit"]["asked_again"], verdict["fit"]["unusable"]) == (3, 1, 1)


def test_prune_keeps_the_newest_of_each_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    """And says what is gone, and how much space that frees."""
    oldest = save(1, hour=6)
    save(2, hour=7)
    save(2, hour=8, limit=10)
    save(3, hour=9)
    size_bytes = oldest.stat().st_size
    pruned = run_json(capsys, "prune", "--keep", "2")
    assert pruned == {
        "removed": [{"file": str(oldest), "size_bytes": size_bytes}],
        "freed_bytes": size_bytes,
        "kept_count": 3,
        "running_count": 0,
    }
    assert [name[-11:-5] for name in names()] == ["070000", "080000", "090000"]


def test_prune_never_touches_the_originals(capsys: pytest.CaptureFixture[str]) -> None:
    """They name no evaluation, so none is known to be superfluous."""
    shutil.copy(ORIGINAL, "checkpoints/checkpoint_a.json")
    shutil.copy(ORIGINAL, "checkpoints/checkpoint_b.json")
    assert run(capsys, "prune", "--keep", "1") == (0, "Removed: 0 checkpoints, which frees 0 B. Kept: 2\n")
    assert names() == ["checkpoint_a.json", "checkpoint_b.json"]


def test_prune_keeps_what_latest_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Though newer ones of its evaluation are there."""
    save(1, hour=7)
    named = save(2, hour=8)
    save(3, hour=9)
    point_latest_at(named)
    run(capsys, "prune", "--keep", "1")
    assert [name[-11:-5] for name in names()] == ["080000", "090000"]


def point_latest_at(path: Path) -> None:
    Path("checkpoints/latest.json").unlink()
    Path("checkpoints/latest.json").symlink_to(path.name)


def test_prune_keeps_what_holds_more_than_the_newer_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was resumed from an older file on purpose has passed over these answers."""
    save(1, hour=6)
    save(9, hour=7)
    save(2, hour=8)
    save(3, hour=9)
    run(capsys, "prune", "--keep", "1")
    assert [name[-11:-5] for name in names()] == ["070000", "090000"]


class hold_lock:  # noqa: N801 - reads as what it does
    """Hold the lock of a checkpoint's evaluation, as a run does."""

    def __init__(self, path: Path) -> None:
        evaluation_id = json.loads(path.read_text())["metadata"]["mcqa_flow"]["evaluation_id"]
        self.lock = path.parent / f".mcqa/locks/{evaluation_id}.lock"

    def __enter__(self) -> None:
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.lock.open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def test_prune_leaves_a_run_alone_that_is_still_going(capsys: pytest.CaptureFixture[str]) -> None:
    """Until its lock is free."""
    save(1, hour=8)
    newest = save(2, hour=9)
    with hold_lock(newest):
        code, printed = run(capsys, "prune", "--keep", "1")
        assert (code, len(names())) == (0, 2)
        assert "Left alone, because a run is still going: 2 checkpoints" in printed
    run(capsys, "prune", "--keep", "1")
    assert names() == [newest.name]


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
