"""What killed runs have left goes at the next start; what anybody uses or needs stays."""

import errno
import fcntl
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.evaluation.errors import HeldByOther, UserMistake
from tasks.evaluation.resuming.housekeeping import remove_leftovers
from tasks.evaluation.run.report import report
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.locks import Holder, find_running, lock_evaluation, lock_run
from tasks.evaluation.storage.temporary_files import name_place, name_temporary_file
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import make_questions, write_questions

NOW = time.time()
ALICE = Holder(name="exam alice\n02:00", page="http://ui/1")
TWO_DAYS_AGO = NOW - 2 * 86_400


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """Return the folder `.mcqa` of a checkpoint directory."""
    for name in ("answers", "locks", "logs", "results"):
        (tmp_path / "checkpoints/.mcqa" / name).mkdir(parents=True)
    (tmp_path / "out").mkdir()
    return tmp_path / "checkpoints/.mcqa"


def clean(own_folder: Path) -> list[str]:
    """Return the names of what is removed."""
    return sorted(path.name for path in remove_leftovers(own_folder, own_folder.parent.parent / "out", NOW))


def write(path: Path, content: str = "x", at: float = NOW) -> Path:
    path.write_text(content)
    os.utime(path, (at, at))
    return path


@pytest.fixture(scope="module")
def gone() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_drafts_of_a_process_that_is_gone_are_removed(own_folder: Path, gone: int) -> None:
    """The checkpoint's, the link's, and the report's."""
    ending = f"_{name_place()}_{gone}.tmp"
    write(own_folder.parent / f".checkpoint_exam_fake{ending}")
    (own_folder.parent / f".latest.json{ending}").symlink_to("nowhere.json")
    write(own_folder.parent.parent / "out" / f".mcqa{ending}")
    assert clean(own_folder) == [
        f".checkpoint_exam_fake{ending}",
        f".latest.json{ending}",
        f".mcqa{ending}",
    ]
    assert sorted(path.name for path in own_folder.parent.iterdir()) == [".mcqa"]


def test_drafts_of_a_living_process_stay(own_folder: Path) -> None:
    """As those of this one."""
    temporary = write(own_folder.parent / name_temporary_file("checkpoint_exam_fake"))
    assert clean(own_folder) == []
    assert temporary.exists()


def test_drafts_of_another_machine_stay_for_a_day(own_folder: Path, gone: int) -> None:
    """There, the process id is another process."""
    write(own_folder.parent / f".checkpoint_new_ffffff_{gone}.tmp")
    write(own_folder.parent / f".checkpoint_old_ffffff_{gone}.tmp", at=TWO_DAYS_AGO)
    write(own_folder.parent / f".checkpoint_of_an_earlier_version_{gone}.tmp")
    assert clean(own_folder) == [f".checkpoint_old_ffffff_{gone}.tmp"]


def test_what_is_not_ours_stays(own_folder: Path) -> None:
    """Whatever its age."""
    write(own_folder.parent / ".other_1.tmp", at=TWO_DAYS_AGO)
    write(own_folder.parent / "checkpoint_a.json", at=TWO_DAYS_AGO)
    write(own_folder.parent.parent / "out/.mcqa.yaml", at=TWO_DAYS_AGO)
    write(own_folder / "results/batch-1", at=TWO_DAYS_AGO)
    assert clean(own_folder) == []


def test_locks_that_nobody_holds_are_removed(own_folder: Path) -> None:
    """Those of runs that go on stay."""
    write(own_folder / "locks/aaaa.lock", "1")
    with lock_evaluation(own_folder / "locks", "bbbb", ALICE):
        assert clean(own_folder) == ["aaaa.lock"]
        assert find_running(own_folder / "locks") == {"bbbb"}


def test_a_run_that_ends_takes_its_lock_with_it(own_folder: Path) -> None:
    """So that only killed ones leave any."""
    with lock_evaluation(own_folder / "locks", "bbbb", ALICE):
        assert f"process {os.getpid()} on " in (own_folder / "locks/bbbb.lock").read_text()
    assert list((own_folder / "locks").iterdir()) == []


def test_a_second_run_is_refused_by_name(own_folder: Path) -> None:
    """With the run that holds the lock, its process, and its page."""
    who = rf"as run 'exam alice 02:00' \(process {os.getpid()} on .*\)"
    with (
        lock_evaluation(own_folder / "locks", "bbbb", ALICE),
        pytest.raises(UserMistake, match=rf"already running in .*/checkpoints, {who}; wait for it, or stop it: http://ui/1$"),
        lock_evaluation(own_folder / "locks", "bbbb", ALICE),
    ):
        pass


def test_a_run_without_name_and_page_is_known_by_its_process(own_folder: Path) -> None:
    """What does not exist is not mentioned."""
    with (
        lock_evaluation(own_folder / "locks", "bbbb", Holder()),
        pytest.raises(UserMistake, match=rf", as process {os.getpid()} on [^;]*; wait for it, or stop it$"),
        lock_evaluation(own_folder / "locks", "bbbb", ALICE),
    ):
        pass


def test_a_look_at_a_lock_does_not_pass_for_a_run(own_folder: Path) -> None:
    """Housekeeping holds it for a moment, and may remove the file under a run that has just opened it."""
    path = write(own_folder / "locks/bbbb.lock", "")
    with path.open("r+b") as look:
        fcntl.flock(look, fcntl.LOCK_EX)

        def remove() -> None:
            path.unlink()
            fcntl.flock(look, fcntl.LOCK_UN)

        threading.Timer(0.1, remove).start()
        with lock_evaluation(own_folder / "locks", "bbbb", ALICE):
            assert find_running(own_folder / "locks") == {"bbbb"}


def test_a_run_waits_for_its_earlier_process(own_folder: Path) -> None:
    """It says so, begins when the other has ended, and leaves no file."""
    has_ended, said = threading.Event(), list[str]()

    def end_the_other(line: str) -> None:
        said.append(line)
        has_ended.set()

    with ThreadPoolExecutor() as pool:
        is_held = threading.Event()
        pool.submit(hold_run, own_folder / "locks", is_held, has_ended)
        is_held.wait()
        with lock_run(own_folder / "locks", "cccc", end_the_other):
            assert [path.name for path in (own_folder / "locks").iterdir()] == ["cccc.run"]
    [line] = said
    assert line.startswith(f"The process of this run that was started before (process {os.getpid()} on ")
    assert list((own_folder / "locks").iterdir()) == []


def hold_run(folder: Path, is_held: threading.Event, has_ended: threading.Event) -> None:
    with lock_run(folder, "cccc", lambda _: None):
        is_held.set()
        has_ended.wait(60)


def test_a_run_whose_earlier_process_goes_on_is_refused(own_folder: Path) -> None:
    """After a while; other runs need not wait."""
    with lock_run(own_folder / "locks", "cccc", lambda _: None), lock_run(own_folder / "locks", "dddd", pytest.fail):
        with (
            pytest.raises(HeldByOther, match=rf"process {os.getpid()} on .*\) has not ended within 0 seconds; .* then Retry"),
            lock_run(own_folder / "locks", "cccc", lambda _: None, patience_seconds=0.1),
        ):
            pass
        assert clean(own_folder) == []


def test_the_lock_of_a_killed_run_is_removed(own_folder: Path) -> None:
    """As that of its evaluation."""
    write(own_folder / "locks/cccc.run", "1 on this-machine")
    assert clean(own_folder) == ["cccc.run"]


def test_a_segment_that_holds_anything_stays(own_folder: Path) -> None:
    """However old; an empty one goes after a day, unless it is in use."""
    answers = own_folder / "answers"
    write(answers / "1-000001.jsonl", '{"kind":"answer"}\n', at=TWO_DAYS_AGO)
    write(answers / "2-000001.jsonl", '{"kind":"ans', at=TWO_DAYS_AGO)
    write(answers / "3-000001.jsonl", "", at=TWO_DAYS_AGO)
    write(answers / "4-000001.jsonl", "")
    used = write(answers / "5-000001.jsonl", "", at=TWO_DAYS_AGO)
    with used.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert clean(own_folder) == ["3-000001.jsonl"]


def test_the_log_in_use_stays(own_folder: Path) -> None:
    """Even before its first record is old."""
    log = AnswerLog(own_folder / "answers", "writer", sync_at_once=False)
    log.append(b'{"kind":"answer"}', 0).result(timeout=10)
    assert clean(own_folder) == []
    log.close(is_complete=False)
    assert clean(own_folder) == []


def test_the_newest_server_logs_stay(own_folder: Path) -> None:
    """Twenty of them, by the time in their names, and each that a server still writes."""
    logs = own_folder / "logs"
    names = [f"{'vLLM' if day % 2 else 'llama.cpp'}_202611{day:02}_000000_000000.log" for day in range(1, 24)]
    paths = [write(logs / name) for name in names]
    with paths[1].open("ab") as used:
        fcntl.flock(used, fcntl.LOCK_SH)
        assert clean(own_folder) == sorted([names[0], names[2]])


def test_folders_that_are_missing_are_no_hindrance(tmp_path: Path) -> None:
    """A first run has none."""
    assert remove_leftovers(tmp_path / "checkpoints/.mcqa", tmp_path / "out", NOW) == []


def test_a_checkpoint_that_cannot_be_removed_costs_the_run_nothing(
    evaluation: Evaluation, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays, and a line after the results says so; such a folder cannot be made where the tests run as root."""
    write_questions(folder, make_questions(3))
    settings = {"processing.keep_checkpoints": 1, "output.save_incorrect": True}
    with evaluation.open(settings, run_id="first") as run:
        run.saver.save()
        [run.score(batch) for batch in run.batches.list_open()]
        first = run.saver.save()
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path == first:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with evaluation.open(settings, run_id="second") as run:
        run.saver.save()
        written: dict[str, Path] = {}
        report(run, written)
        assert set(written) == {"results", "incorrect", "config"}
    assert f"⚠️ cannot remove {first}: Operation not permitted" in capsys.readouterr().out
