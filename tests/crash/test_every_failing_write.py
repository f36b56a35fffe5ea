"""Wherever a disk fails, the run stops asking, leaves nothing torn and loses nothing: all operations of a run, none sampled."""

import asyncio
import errno
import itertools
import json
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import EvaluationError, StorageFailure, UserMistake, before_asking
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.results_files import write_results
from tasks.evaluation.run.preparation import check_output_folder, make_own_folder, prepare
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.scoring.scorer import Scorer
from tasks.evaluation.storage import answer_log
from tasks.evaluation.storage.answer_log import AnswerLog, list_segments, read_segment
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.layout import ANSWERS_FOLDER, LOCKS_FOLDER
from tasks.evaluation.storage.locks import lock_evaluation
from tests.support.failing_disk import FailingDisk, Fault
from tests.support.fake_endpoint import LETTERS, make_questions, write_questions

COUNT = 6
SEGMENT_RECORDS = 4
START = datetime(2026, 11, 23, 14, 30, 22)  # noqa: DTZ001
Final = list[tuple[object, object, object]]


class Model:
    """Answers without a network, and remembers what it was asked before and after the disk has failed."""

    def __init__(self, disk: FailingDisk) -> None:
        self.asked: list[int] = []
        self.asked_after: list[int] = []
        self._disk = disk

    async def ask(self, messages: list[dict[str, str]]) -> Answer:
        found = re.search(r"Question (\d+)", messages[-1]["content"])
        assert found
        number = int(found[1])
        (self.asked_after if self._disk.has_failed else self.asked).append(number)
        await asyncio.sleep(0)
        return Answer(f"The answer to {number} is {LETTERS[number % 4]}.", None, {"total_tokens": 12}, "stop", "fake", 0.5)

    def stop(self, cause: Exception) -> None:
        """What still asks it after that is counted."""


class SteppedLog(AnswerLog):
    """An answer log that fsyncs when it is told to and at its end, so that each time the same is done in the same order."""

    def _sync_until_closed(self) -> None:
        self._closing.wait()
        self._sync()


class Evaluation:
    """A run as tasks/evaluation/run/run.py and the flow drive it.

    Args:
        config: the settings.
        model: answers the questions.
        number: of the runs in the same folder, which one it is.
    """

    def __init__(self, config: Config, model: Model, number: int) -> None:
        self.config = config
        self.finished: set[int] = set()
        self._model = model
        self._number = number
        self._now = START + timedelta(hours=number)

    def run(self, *, until: int = COUNT, writes_results: bool = True) -> Final:
        """Score the questions up to that one; give what they came to.

        Raises:
            UserMistake: nothing was asked.
            StorageFailure: the run has stopped.
        """
        with ExitStack() as stack:
            with before_asking():
                self._open(stack)
                self._save()
            asyncio.run(self._score(range(until)))
            self.finished = {position + 1 for position in self._ledger.results.positions(0, COUNT)}
            self._save()
            if writes_results:
                self._write_results()
            if self._scorer.stop_cause:
                raise self._scorer.stop_cause
            results = [self._ledger.read_result(position) for position in range(until)]
            return [(result["question_id"], result["model_answer"], result["score"]) for result in results]

    def _open(self, stack: ExitStack) -> None:
        own_folder = make_own_folder(self.config)
        assert own_folder
        check_output_folder(self.config)
        endpoint = Endpoint("generator", None, "none", {"model": "fake"})
        preparation = prepare(self.config, (endpoint, None), own_folder=own_folder, run_id="run", notify=lambda _line: None)
        ledger = self._ledger = preparation.ledger
        with ExitStack() as on_failure:
            on_failure.callback(ledger.close)
            stack.enter_context(lock_evaluation(own_folder / LOCKS_FOLDER, ledger.evaluation_id))
            make_log = AnswerLog if self.config.processing.save_incremental else SteppedLog
            ledger.log = make_log(own_folder / ANSWERS_FOLDER, f"writer{self._number}", sync_at_once=True)
            ledger.waits_for_sync = self.config.processing.save_incremental
            stack.push(on_failure.pop_all())
        reuse_earlier(preparation, lambda _line: None)
        metadata = preparation.describe().to_metadata()
        folder = Path(self.config.processing.checkpoint_directory)
        config = self.config.for_files()
        self._writer = CheckpointWriter(folder, "checkpoint_exam_fake", ledger.results, lambda _: metadata, config)
        slots = asyncio.Semaphore(self.config.processing.parallel_workers)
        grader, prompt = preparation.grader, preparation.config.prompt
        self._scorer = Scorer(ledger, grader, self._model, None, slots=slots, prompt=prompt)  # type: ignore[arg-type]

    async def _score(self, positions: range) -> None:
        """Score the questions a few at a time, and save after each few, until the run is stopped."""
        log = self._ledger.log
        assert log
        for start in range(0, len(positions), 2):
            if self._scorer.stop_cause:
                return
            await self._scorer.score_positions(list(self._ledger.open_positions(positions[start : start + 2])))
            if isinstance(log, SteppedLog):
                log._sync()
            try:
                self._save()
            except StorageFailure as failure:
                self._scorer.stop(failure, grace_seconds=0)
            if log.failure:
                self._scorer.stop(log.failure, grace_seconds=0)

    def _save(self) -> None:
        self._now += timedelta(seconds=5)
        saved = self._writer.save(self._now)
        if saved is not None and self._ledger.log:
            self._ledger.log.release(self._ledger.results.positions(saved.start, saved.stop))

    def _write_results(self) -> None:
        """As the flow does it: when the run was stopped, that they cannot be written must not hide why."""
        try:
            write_results(self._ledger, self.config, lambda _: {}, self._now)
        except StorageFailure:
            if self._scorer.stop_cause is None:
                raise


def read_visible(root: Path) -> dict[str, bytes]:
    """The visible checkpoints and results, each of them whole."""
    paths = [path for path in root.rglob("*.json") if not path.name.startswith(".") and ".mcqa" not in path.parts]
    for path in paths:
        document = json.loads(path.read_bytes())
        assert document.get("completed_count", len(document["results"])) == len(document["results"])
    return {str(path): path.read_bytes() for path in paths}


def read_log(root: Path) -> list[JsonObject | None]:
    """The records of the answer log; None for a line that is none."""
    return [record for path in list_segments(root / "checkpoints/.mcqa/answers") for record in read_segment(path)]


def check_fault(config: Config, root: Path, fault: Fault, undisturbed: Final) -> FailingDisk:
    """The run with the fault stops, or ends as if there were none; the one after it ends right, and pays for nothing twice."""
    disk = FailingDisk(root, fault)
    model = Model(disk)
    evaluation = Evaluation(config, model, 2)
    workers = config.processing.parallel_workers
    failure: EvaluationError | None = None
    with disk.mounted():
        try:
            assert evaluation.run() == undisturbed
        except (UserMistake, StorageFailure) as error:
            failure = error
    if failure:
        assert len(model.asked_after) <= workers
        assert "make room or fix" in str(failure) or "fix its permissions" in str(failure)
    if isinstance(failure, UserMistake):
        assert model.asked == model.asked_after == []
    visible = read_visible(root)
    assert None not in read_log(root)
    after = Model(FailingDisk(root))
    assert Evaluation(config, after, 3).run(writes_results=False) == undisturbed
    assert evaluation.finished & {*after.asked} == set()
    assert len({*model.asked, *model.asked_after} & {*after.asked}) <= workers
    assert {name: read_visible(root)[name] for name in visible if not name.endswith("latest.json")} == {
        name: content for name, content in visible.items() if not name.endswith("latest.json")
    }
    return disk


def check_all(config: Config, root: Path, begin: Callable[[], object], kind: Fault, undisturbed: Final) -> int:
    """All faults of a kind, one at each operation of the run; how many there are."""
    for number in itertools.count():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        begin()
        fault = replace(kind, number=number)
        try:
            disk = check_fault(config, root, fault, undisturbed)
        except Exception as error:
            described = disk_operation(config, root, begin, fault)
            raise AssertionError(f"when operation {number} fails, {described}: {error!r}") from error
        if not disk.has_failed and len(disk.operations) <= number:
            return number
    raise AssertionError


def disk_operation(config: Config, root: Path, begin: Callable[[], object], fault: Fault) -> str:
    """What the operation is."""
    shutil.rmtree(root)
    root.mkdir()
    begin()
    disk = FailingDisk(root, replace(fault, number=1_000_000))
    with disk.mounted():
        Evaluation(config, Model(disk), 2).run()
    return disk.operations[fault.number] if fault.number < len(disk.operations) else "after the last"


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Settings of a run in the folder `disk`; a segment holds few records, and fsyncs cost nothing."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", SEGMENT_RECORDS)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    is_incremental = request.param == "incremental"
    overrides = Overrides(
        questions_file=str(write_questions(tmp_path, make_questions(COUNT))),
        model="fake",
        checkpoint_directory=str(tmp_path / "disk/checkpoints"),
        random_seed=1,
        parallel_workers=1 if is_incremental else 2,
        save_incremental=is_incremental,
        save_incorrect=True,
    )
    config = load_config(None, overrides)
    return config.model_copy(
        update={"output": config.output.model_copy(update={"output_directory": str(tmp_path / "disk/out")})}
    )


@pytest.fixture
def undisturbed(config: Config, tmp_path: Path) -> Final:
    """What an undisturbed run comes to."""
    root = tmp_path / "disk"
    root.mkdir()
    return Evaluation(config, Model(FailingDisk(root)), 0).run()


@pytest.fixture(params=["fresh", "resuming"])
def begin(request: pytest.FixtureRequest, config: Config, tmp_path: Path, undisturbed: Final) -> Callable[[], object]:
    """What lies on the disk at the beginning: nothing, or what a stopped run has left."""
    root, kept = tmp_path / "disk", tmp_path / "kept"
    if request.param == "fresh":
        return lambda: None
    shutil.rmtree(root)
    root.mkdir()
    Evaluation(config, Model(FailingDisk(root)), 1).run(until=3)
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
    assert check_all(config, tmp_path / "disk", begin, fault, undisturbed) > 30
