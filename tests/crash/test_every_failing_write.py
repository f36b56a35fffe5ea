"""Wherever a disk fails, the run stops asking, leaves nothing torn and loses nothing: all operations of a run, none sampled."""

import errno
import itertools
import json
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import EvaluationError, StorageFailure, UnfinishedBatch, UserMistake, before_asking
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.questions.questions import Questions
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.report import report
from tasks.evaluation.run.run import Run
from tasks.evaluation.run.start import read_all
from tasks.evaluation.storage import answer_log
from tasks.evaluation.storage.answer_log import AnswerLog, list_segments, read_segment
from tests.support.crash_tree import Tree, read_tree
from tests.support.driven_run import Model, SteppedLog, make_config, open_driven, read_final
from tests.support.failing_disk import FailingDisk, Fault
from tests.support.fake_endpoint import make_questions, write_questions

COUNT = 6
SEGMENT_RECORDS = 4
Final = list[tuple[object, ...]]


class Asked:
    """What a model was asked, before and after the disk has failed."""

    def __init__(self, disk: FailingDisk) -> None:
        self.before: list[int] = []
        self.after: list[int] = []
        self._disk = disk

    def note(self, number: int) -> None:
        (self.after if self._disk.has_failed else self.before).append(number)


class Evaluation:
    """A run of the product, driven as the flow drives it.

    Args:
        config: the settings.
        asked: takes what the model was asked.
        number: of the runs in the same folder, which one it is.
        questions: those of the file, if they are not to be read.
    """

    def __init__(self, config: Config, asked: Asked, number: int, questions: Questions | None = None) -> None:
        self.finished: set[int] = set()
        self._config = config
        self._asked = asked
        self._number = number
        self._questions = questions

    def run(self, *, until: int = COUNT, writes_results: bool = True) -> Final:
        """Score the questions up to that one, and return their results.

        Raises:
            UserMistake: nothing was asked.
            StorageFailure: the run has stopped.
        """
        make_log = AnswerLog if self._config.processing.save_incremental else SteppedLog
        with open_driven(self._config, Model(self._asked.note), make_log, self._number, self._questions) as run:
            with before_asking():
                run.saver.save()
            score_and_save(run, range(until))
            self.finished = {position + 1 for position in run.ledger.results.positions(0, COUNT)}
            run.saver.save()
            if writes_results:
                write_results(run)
            if run.stop_cause:
                raise run.stop_cause
            return read_final(run, range(until))


def score_and_save(run: Run, positions: range) -> None:
    """Score the questions a few at a time, and save after each few, until the run is stopped."""
    for start in range(0, len(positions), 2):
        if run.stop_cause:
            return
        with suppress(UnfinishedBatch):
            run.score(Batch(positions[start : start + 2], ""))
        if isinstance(run.ledger.log, SteppedLog):
            run.ledger.log._sync()
        try:
            run.saver.save()
        except StorageFailure as failure:
            run.stop(failure)
        run.check_storage()


def write_results(run: Run) -> None:
    """Write the results as the flow does: if the run was stopped, a failure to write them must not hide why."""
    try:
        report(run, {})
    except StorageFailure:
        if run.stop_cause is None:
            raise


def read_visible(root: Path) -> dict[str, bytes]:
    """Return the visible checkpoints and results; check that each is whole."""
    paths = [path for path in root.rglob("*.json") if not path.name.startswith(".") and ".mcqa" not in path.parts]
    for path in paths:
        document = json.loads(path.read_bytes())
        assert document.get("completed_count", len(document["results"])) == len(document["results"])
    return {str(path): path.read_bytes() for path in paths}


def read_log(root: Path) -> list[JsonObject | None]:
    """Return the records of the answer log; None for a line that does not parse."""
    return [record for path in list_segments(root / "checkpoints/.mcqa/answers") for record in read_segment(path)]


class NextRun:
    """The run after one that met a fault, without faults of its own; made once for each tree that it can find.

    Args:
        config: the settings.
        root: the folder of the tree.
        undisturbed: the results that it must have.
        questions: those of the file.
    """

    def __init__(self, config: Config, root: Path, undisturbed: Final, questions: Questions) -> None:
        self.config = config
        self.root = root
        self.undisturbed = undisturbed
        self._questions = questions
        self._asked: dict[Tree, set[int]] = {}

    def run(self) -> set[int]:
        """Check what is visible, and that the run ends right and changes none of it; return the questions that it asks."""
        tree = read_tree(self.root)
        if tree not in self._asked:
            self._asked[tree] = self._run()
        return self._asked[tree]

    def _run(self) -> set[int]:
        visible = read_visible(self.root)
        assert None not in read_log(self.root)
        asked = Asked(FailingDisk(self.root))
        evaluation = Evaluation(self.config, asked, 3, self._questions)
        assert evaluation.run(writes_results=False) == self.undisturbed
        assert {name: read_visible(self.root)[name] for name in visible if not name.endswith("latest.json")} == {
            name: content for name, content in visible.items() if not name.endswith("latest.json")
        }
        return {*asked.before}


def check_fault(next_run: NextRun, fault: Fault) -> FailingDisk:
    """Check that a run with the fault stops or ends well, and that the one after it ends right and pays for nothing twice."""
    disk = FailingDisk(next_run.root, fault)
    asked = Asked(disk)
    evaluation = Evaluation(next_run.config, asked, 2)
    workers = next_run.config.processing.parallel_workers
    failure: EvaluationError | None = None
    with disk.mounted():
        try:
            assert evaluation.run() == next_run.undisturbed
        except (UserMistake, StorageFailure) as error:
            failure = error
    if failure:
        assert len(asked.after) <= workers
        assert "make room or fix" in str(failure) or "fix its permissions" in str(failure)
    if isinstance(failure, UserMistake):
        assert asked.before == asked.after == []
    again = next_run.run()
    assert evaluation.finished & again == set()
    assert len({*asked.before, *asked.after} & again) <= workers
    return disk


def check_all(config: Config, root: Path, begin: Callable[[], object], kind: Fault, undisturbed: Final) -> int:
    """Check a fault of this kind at each operation of the run; return the number of operations."""
    with closing(read_all(config, None)) as questions:
        next_run = NextRun(config, root, undisturbed, questions)
        for number in itertools.count():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            begin()
            fault = replace(kind, number=number)
            try:
                disk = check_fault(next_run, fault)
            except Exception as error:
                described = disk_operation(config, root, begin, fault)
                raise AssertionError(f"when operation {number} fails, {described}: {error!r}") from error
            if not disk.has_failed and len(disk.operations) <= number:
                return number
    raise AssertionError


def disk_operation(config: Config, root: Path, begin: Callable[[], object], fault: Fault) -> str:
    """Return what the operation is."""
    shutil.rmtree(root)
    root.mkdir()
    begin()
    disk = FailingDisk(root, replace(fault, number=1_000_000))
    with disk.mounted():
        Evaluation(config, Asked(disk), 2).run()
    return disk.operations[fault.number] if fault.number < len(disk.operations) else "after the last"


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Return the settings of a run in the folder `disk`; a segment holds few records, and fsyncs cost nothing."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", SEGMENT_RECORDS)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    is_incremental = request.param == "incremental"
    workers = 1 if is_incremental else 2
    questions_file = write_questions(tmp_path, make_questions(COUNT))
    return make_config(tmp_path / "disk", questions_file, parallel_workers=workers, save_incremental=is_incremental)


@pytest.fixture
def undisturbed(config: Config, tmp_path: Path) -> Final:
    """Return the results of an undisturbed run."""
    root = tmp_path / "disk"
    root.mkdir()
    return Evaluation(config, Asked(FailingDisk(root)), 0).run()


@pytest.fixture(params=["fresh", "resuming"])
def begin(request: pytest.FixtureRequest, config: Config, tmp_path: Path, undisturbed: Final) -> Callable[[], object]:
    """Return what puts on the disk what lies there at the beginning: nothing, or what a stopped run has left."""
    root, kept = tmp_path / "disk", tmp_path / "kept"
    if request.param == "fresh":
        return lambda: None
    shutil.rmtree(root)
    root.mkdir()
    Evaluation(config, Asked(FailingDisk(root)), 1).run(until=3)
    shutil.copytree(root, kept, symlinks=True)
    return lambda: shutil.copytree(kept, root, symlinks=True, dirs_exist_ok=True)


FULL_ONCE, FULL = Fault(0, errno.ENOSPC, lasts=False), Fault(0, errno.ENOSPC, lasts=True)
FULL_IN_A_WRITE_ONCE = Fault(0, errno.ENOSPC, lasts=False, is_short=True)
FULL_IN_A_WRITE = Fault(0, errno.ENOSPC, lasts=True, is_short=True)
BROKEN_ONCE, BROKEN = Fault(0, errno.EIO, lasts=False), Fault(0, errno.EIO, lasts=True)


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ("ordinary", FULL_ONCE),
        ("ordinary", FULL),
        ("ordinary", FULL_IN_A_WRITE_ONCE),
        ("ordinary", FULL_IN_A_WRITE),
        ("ordinary", BROKEN_ONCE),
        ("ordinary", BROKEN),
        ("incremental", FULL),
        ("incremental", BROKEN_ONCE),
    ],
    indirect=["config"],
    ids=[
        "full once",
        "full",
        "full in a write, once",
        "full in a write",
        "broken once",
        "broken",
        "incremental, full",
        "incremental, broken once",
    ],
)
def test_every_failing_write(
    config: Config, tmp_path: Path, undisturbed: Final, begin: Callable[[], object], fault: Fault
) -> None:
    """Nothing more is asked, what is visible is whole, the message says what to do, and the next run pays for nothing twice."""
    assert check_all(config, tmp_path / "disk", begin, fault, undisturbed) > 20
