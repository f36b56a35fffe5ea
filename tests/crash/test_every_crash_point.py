"""After a crash at any moment a resumed run ends as an undisturbed one: every state that a crash can leave, none sampled."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.json_lines import from_line
from tasks.evaluation.questions.questions import Questions
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.run import Run
from tasks.evaluation.run.start import read_all
from tasks.evaluation.storage import answer_log
from tasks.evaluation.storage.answer_log import AnswerLog
from tests.support.crash_disk import CrashDisk, Killed, Promise, Promises
from tests.support.crash_tree import Tree
from tests.support.driven_run import Model, SteppedLog, make_config, open_driven, read_final, score
from tests.support.fake_endpoint import make_questions, write_questions
from tests.support.opened_files import noting_opened
from tests.support.resumed_outcomes import Outcome, Outcomes

COUNT = 16
SEGMENT_RECORDS = 5
Final = list[tuple[object, ...]]


class PromisingLog(SteppedLog):
    """A log that notes what it has promised: a record that arrived survives the process, one that is fsynced the power.

    Args:
        folder: as for any log.
        writer: the same.
        sync_at_once: whether it fsyncs by itself, as the settings say.
        promises: takes what it promises.
    """

    def __init__(self, folder: Path, writer: str, *, sync_at_once: bool, promises: Promises) -> None:
        self.is_killed_at_a_grade = False
        self.graded: list[int] = []
        self._syncs_by_itself = sync_at_once
        self._promises = promises
        self._arrived: set[Promise] = set()
        super().__init__(folder, writer, sync_at_once=sync_at_once)

    def append(self, line: bytes, position: int) -> "Future[None]":
        kind = str(from_line(line)["kind"])
        if kind == "grade":
            if self.is_killed_at_a_grade:
                raise Killed
            self.graded.append(position)
        synced = super().append(line, position)
        self._arrived.add((kind, position))
        self._promises.arrived.add((kind, position))
        return synced

    def sync(self) -> None:
        """Fsync what the log holds, as it is done once a second."""
        self._sync()

    def kill(self) -> None:
        """Fsync nothing more at the end."""
        self._waiters.clear()
        for _, file in self._full:
            file.close()
        self._full.clear()
        self._arrived.clear()

    def _sync_until_closed(self) -> None:
        if self._syncs_by_itself:
            AnswerLog._sync_until_closed(self)
        else:
            super()._sync_until_closed()

    def _sync(self) -> None:
        arrived = set(self._arrived)
        super()._sync()
        self._promises.durable |= arrived


class Evaluation:
    """A run of the product, with what it has asked, graded and promised.

    Args:
        run: the run.
        asked: the numbers of the questions that its model was asked.
        promises: takes what it promises.
    """

    def __init__(self, run: Run, asked: list[int], promises: Promises) -> None:
        assert isinstance(run.ledger.log, PromisingLog)
        self.run = run
        self.log = run.ledger.log
        self.asked = asked
        self._promises = promises
        self._promise("answer", run.ledger.awaiting_grade())

    def save(self) -> None:
        """Save a checkpoint, if there is anything new, and let the log remove what it covers."""
        if self.run.saver.save():
            results = self.run.ledger.results
            self._promise("answer", results.positions(0, len(results)))
            self._promise("grade", results.positions(0, len(results)))
            self._promise("saved", [len(results)])

    def score(self, *positions: int) -> None:
        """Answer and grade the questions, one after the other."""
        score(self.run, positions)

    def finish(self) -> None:
        """Answer and grade what is open, as one batch."""
        self.run.score(Batch(range(COUNT), ""))

    def answer_and_die(self, position: int) -> None:
        """Answer the question; the process is killed before its grade is kept."""
        self.log.is_killed_at_a_grade = True
        with pytest.raises(Killed):
            score(self.run, [position])
        self.log.kill()

    def _promise(self, what: str, numbers: Iterable[int]) -> None:
        made = {(what, number) for number in numbers}
        self._promises.arrived |= made
        self._promises.durable |= made


@contextmanager
def open_evaluation(
    config: Config, promises: Promises, number: int, questions: Questions | None = None
) -> Iterator[Evaluation]:
    """Open a run of these settings: the one with that number, of those in the same folder."""
    asked: list[int] = []
    with open_driven(config, Model(asked.append), partial(PromisingLog, promises=promises), number, questions) as run:
        yield Evaluation(run, asked, promises)


def run_until_the_disk_is_full(config: Config, promises: Promises, disk: CrashDisk) -> None:
    """Run with saves and segment changes, and stop when an answer finds no room."""
    with open_evaluation(config, promises, 1) as evaluation:
        evaluation.save()
        evaluation.score(1)
        evaluation.log.sync()
        evaluation.score(0, 3)
        evaluation.log.sync()
        evaluation.score(2)
        evaluation.save()
        disk.room_bytes = 100
        with pytest.raises(UnfinishedBatch, match="No space left"):
            evaluation.score(4)
        disk.room_bytes = None
        evaluation.save()


def run_until_killed(config: Config, promises: Promises) -> None:
    """Run again, and be killed between an answer and its grade."""
    with open_evaluation(config, promises, 2) as evaluation:
        evaluation.save()
        evaluation.score(4)
        evaluation.log.sync()
        evaluation.score(6)
        evaluation.save()
        evaluation.log.sync()
        evaluation.score(5)
        evaluation.answer_and_die(8)


def run_until_killed_in_a_save(config: Config, promises: Promises, disk: CrashDisk) -> None:
    """Take over what the earlier runs have left, and die while the checkpoint has two names."""
    with open_evaluation(config, promises, 3) as evaluation:
        assert evaluation.run.ledger.awaiting_grade() == [8]
        disk.fatal = "unlink .checkpoint*"
        with pytest.raises(Killed):
            evaluation.save()
        evaluation.log.kill()


def run_until_stopped(config: Config, promises: Promises) -> None:
    """Save at once, go on, and stop when told to: the run saves, and its log stays."""
    with open_evaluation(config, promises, 4) as evaluation:
        evaluation.save()
        evaluation.score(8, 7)
        evaluation.score(9)
        evaluation.save()


def run_to_the_end(config: Config, promises: Promises) -> None:
    """Finish the evaluation: the log goes."""
    with open_evaluation(config, promises, 5) as evaluation:
        evaluation.save()
        evaluation.score(10, 11)
        evaluation.log.sync()
        evaluation.score(12)
        evaluation.save()
        evaluation.score(13, 14)
        evaluation.log.sync()
        evaluation.score(15)
        evaluation.save()


def run_all(config: Config, promises: Promises, disk: CrashDisk) -> None:
    """Run all of these, one after the other."""
    run_until_the_disk_is_full(config, promises, disk)
    run_until_killed(config, promises)
    run_until_killed_in_a_save(config, promises, disk)
    run_until_stopped(config, promises)
    run_to_the_end(config, promises)


def run_shortly(config: Config, promises: Promises, _disk: CrashDisk) -> None:
    """Run, save twice, and stop when told to."""
    with open_evaluation(config, promises, 1) as evaluation:
        evaluation.save()
        evaluation.score(0, 1, 2)
        evaluation.log.sync()
        evaluation.save()


def record(config: Config, root: Path, run: Callable[[Config, Promises, CrashDisk], None], *, deaf_to: str = "") -> CrashDisk:
    """Return all that a crash can leave at any moment of what is run."""
    root.mkdir()
    promises = Promises()
    with closing(CrashDisk(root, promises, deaf_to=deaf_to)) as disk, disk.recording():
        run(config, promises, disk)
    return disk


def read_checkpoints(root: Path) -> dict[str, bytes]:
    """Return the visible checkpoints; check that each is whole."""
    paths = [path for path in root.glob("checkpoints/*.json") if not path.name.startswith(".")]
    for path in paths:
        document = json.loads(path.read_bytes())
        assert document["completed_count"] == len(document["results"])
        assert document["completed_indices"] == sorted(result["question_id"] for result in document["results"])
    return {path.name: path.read_bytes() for path in paths}


def resume(config: Config, root: Path, undisturbed: Final, questions: Questions) -> Outcome:
    """Check that what is visible is whole and stays so, and that a resumed run ends right; return its outcome."""
    visible = read_checkpoints(root)
    with open_evaluation(config, Promises(), 6, questions) as evaluation:
        evaluation.save()
        evaluation.finish()
        evaluation.save()
        assert read_final(evaluation.run, range(COUNT)) == undisturbed
    after = read_checkpoints(root)
    assert [name for name in visible if name != "latest.json" and after[name] != visible[name]] == []
    saved_count = json.loads(visible["latest.json"])["completed_count"] if "latest.json" in visible else -1
    return Outcome(saved_count, tuple(number - 1 for number in evaluation.asked), tuple(evaluation.log.graded))


def check_all(config: Config, root: Path, disk: CrashDisk, undisturbed: Final) -> None:
    """Check every tree that a crash can leave."""
    outcomes = Outcomes()
    with closing(read_all(config, None)) as questions:
        for tree, aftermath in disk.aftermaths.items():
            try:
                outcome = outcomes.find(tree)
                if outcome is None:
                    shutil.rmtree(root)
                    root.mkdir()
                    tree.build(root)
                    with noting_opened(root) as opened:
                        outcome = resume(config, root, undisturbed, questions)
                    outcomes.add(tree, opened, outcome)
                outcome.check(aftermath.promises)
            except Exception as error:
                raise AssertionError(f"after a crash before operation {aftermath.moment}: {error}\n{describe(tree)}") from error


def describe(tree: Tree) -> str:
    """Return the tree, a line a file."""
    lines = [f"{' = '.join(sorted(names))}: {len(content):,} bytes" for names, content in tree.files]
    return "\n".join(sorted([*lines, *(f"{name} -> {target}" for name, target in tree.links)]))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_incremental: bool) -> Config:
    """Return the settings of a run in the folder `disk`; a segment holds few records, and fsyncs cost nothing."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", SEGMENT_RECORDS)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    questions_file = write_questions(tmp_path, make_questions(COUNT))
    return make_config(tmp_path / "disk", questions_file, save_incremental=save_incremental)


@pytest.fixture
def undisturbed(config: Config, tmp_path: Path) -> Final:
    """Return the results of an undisturbed run."""
    root = tmp_path / "disk"
    root.mkdir()
    with open_evaluation(config, Promises(), 0) as evaluation:
        evaluation.score(*range(COUNT))
        final = read_final(evaluation.run, range(COUNT))
    shutil.rmtree(root)
    return final


@pytest.mark.parametrize(("save_incremental", "operations", "states"), [(False, 150, 1_700), (True, 170, 850)])
def test_every_crash_point(config: Config, tmp_path: Path, undisturbed: Final, operations: int, states: int) -> None:
    """Every visible file is whole, nothing promised is gone, and the resumed run ends as the undisturbed one."""
    disk = record(config, tmp_path / "disk", run_all)
    check_all(config, tmp_path / "disk", disk, undisturbed)
    assert len(disk.operations) > operations
    assert disk.state_count > states


@pytest.mark.parametrize("save_incremental", [False, True])
@pytest.mark.parametrize("deaf_to", [".checkpoint*.tmp", "checkpoints", "*.jsonl", "answers", ".mcqa", "disk"])
def test_no_fsync_can_be_left_out(config: Config, tmp_path: Path, undisturbed: Final, deaf_to: str) -> None:
    """On a disk that ignores those of one kind of file or folder, something promised is lost: the test above can fail."""
    disk = record(config, tmp_path / "disk", run_shortly, deaf_to=deaf_to)
    with pytest.raises(AssertionError, match="after a crash before operation"):
        check_all(config, tmp_path / "disk", disk, undisturbed)
