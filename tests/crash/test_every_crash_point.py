"""After a crash at any moment a resumed run ends as an undisturbed one: every state that a crash can leave, none sampled."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.extraction.choices import read_choice
from tasks.evaluation.run.preparation import make_own_folder, prepare
from tasks.evaluation.run.resumption import reuse_earlier
from tasks.evaluation.scoring.extraction_grader import evaluate_choice
from tasks.evaluation.scoring.records import Grade
from tasks.evaluation.storage import answer_log
from tasks.evaluation.storage.answer_log import AnswerLog
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter
from tasks.evaluation.storage.layout import ANSWERS_FOLDER
from tests.support.crash_disk import Aftermath, CrashDisk, Killed, Promises
from tests.support.crash_tree import Tree
from tests.support.fake_endpoint import LETTERS, make_questions, write_questions

COUNT = 16
SEGMENT_RECORDS = 5
ENDPOINT = Endpoint("generator", None, "none", {"model": "fake"})
START = datetime(2026, 11, 23, 14, 30, 22)  # noqa: DTZ001
Final = list[tuple[object, object, object]]


class SteppedLog(AnswerLog):
    """An answer log that fsyncs when the test says so and at its end, so that each time the same is done in the same order."""

    def _sync_until_closed(self) -> None:
        self._closing.wait()
        self._sync()


class Evaluation:
    """A run as tasks/evaluation/run/run.py drives it, with answers that need no network.

    Args:
        config: the settings.
        promises: takes what the run promises.
        number: of the runs in the same folder, which one it is.
    """

    def __init__(self, config: Config, promises: Promises, number: int) -> None:
        self.asked: list[int] = []
        self.graded: list[int] = []
        self._promises = promises
        self._now = START + timedelta(hours=number)
        own_folder = make_own_folder(config)
        assert own_folder
        preparation = prepare(config, (ENDPOINT, None), own_folder=own_folder, run_id="", notify=lambda _line: None)
        self.ledger = preparation.ledger
        self.ledger.waits_for_sync = config.processing.save_incremental
        make_log = AnswerLog if config.processing.save_incremental else SteppedLog
        self.log = self.ledger.log = make_log(own_folder / ANSWERS_FOLDER, f"writer{number}", sync_at_once=True)
        reuse_earlier(preparation, lambda _line: None)
        metadata = preparation.describe().to_metadata()
        folder = Path(config.processing.checkpoint_directory)
        self._checkpoint = CheckpointWriter(
            folder, "checkpoint_exam_fake", self.ledger.results, lambda _: metadata, config.for_files()
        )
        self._promise("answer", self.ledger.awaiting_grade(), is_durable=True)

    def save(self) -> None:
        """Save a checkpoint, if there is anything new, and let the log remove what it covers."""
        self._now += timedelta(seconds=5)
        saved = self._checkpoint.save(self._now)
        if saved is None:
            return
        positions = self.ledger.results.positions(saved.start, saved.stop)
        self._promise("answer", positions, is_durable=True)
        self._promise("grade", positions, is_durable=True)
        self._promise("saved", [saved.stop], is_durable=True)
        self.log.release(positions)

    def score(self, *positions: int) -> None:
        """Answer and grade the questions, one after the other."""
        asyncio.run(self._score(positions))

    def answer(self, position: int) -> Answer:
        """Answer the question."""
        return asyncio.run(self._answer(position))

    def sync(self) -> None:
        """Fsync what the log holds, as it is done once a second."""
        self.log._sync()
        self._promises.durable |= self._promises.arrived

    def kill(self) -> None:
        """End as a killed process does: nothing more is fsynced, nothing removed."""
        self.log._waiters.clear()
        self.ledger.close()

    def final(self) -> Final:
        """What the run came to, by question."""
        results = [self.ledger.read_result(position) for position in range(COUNT)]
        return [(result["question_id"], result["model_answer"], result["score"]) for result in results]

    async def _score(self, positions: Iterable[int]) -> None:
        for position in positions:
            question = self.ledger.questions[position]
            assert question
            answer = self.ledger.known_answer(position) or await self._answer(position)
            self.graded.append(position)
            reading = read_choice(answer.text, question.choices)
            grade = Grade(evaluate_choice(question, answer, reading).to_json(), {}, 0.0)
            await self.ledger.keep_grade(position, question, answer, grade)
            self._promise("grade", [position], is_durable=self.ledger.waits_for_sync)

    async def _answer(self, position: int) -> Answer:
        self.asked.append(position)
        text = f"The answer to {position + 1} is {LETTERS[(position + 1) % 4]}."
        answer = Answer(text, None, {"total_tokens": 12}, "stop", "fake", 0.5)
        await self.ledger.keep_answer(position, answer)
        self._promise("answer", [position], is_durable=self.ledger.waits_for_sync)
        return answer

    def _promise(self, what: str, numbers: Iterable[int], *, is_durable: bool) -> None:
        made = {(what, number) for number in numbers}
        self._promises.arrived |= made
        self._promises.durable |= made if is_durable else set()


@contextmanager
def open_evaluation(config: Config, promises: Promises, number: int) -> Iterator[Evaluation]:
    evaluation = Evaluation(config, promises, number)
    with closing(evaluation.ledger):
        yield evaluation


def run_until_killed(config: Config, promises: Promises, disk: CrashDisk) -> None:
    """A run with saves, segment changes and a full disk, killed between an answer and its grade."""
    evaluation = Evaluation(config, promises, 1)
    evaluation.save()
    evaluation.score(1)
    evaluation.sync()
    evaluation.score(0, 3)
    evaluation.sync()
    evaluation.score(2)
    evaluation.save()
    disk.room_bytes = 100
    with pytest.raises(StorageFailure):
        evaluation.answer(4)
    disk.room_bytes = None
    evaluation.score(4)
    evaluation.sync()
    evaluation.score(6)
    evaluation.save()
    evaluation.sync()
    evaluation.score(5)
    evaluation.answer(8)
    evaluation.kill()


def run_until_killed_in_a_save(config: Config, promises: Promises, disk: CrashDisk) -> None:
    """The next run takes over what the first has left, and dies while its checkpoint has two names."""
    evaluation = Evaluation(config, promises, 2)
    assert evaluation.ledger.awaiting_grade() == [8]
    disk.fatal = "unlink .checkpoint*"
    with pytest.raises(Killed):
        evaluation.save()
    evaluation.kill()


def run_until_stopped(config: Config, promises: Promises) -> None:
    """A run that saves at once, goes on, and is told to stop: it saves, and its log stays."""
    with open_evaluation(config, promises, 3) as evaluation:
        evaluation.save()
        evaluation.score(8, 7)
        evaluation.answer(9)
        evaluation.save()


def run_to_the_end(config: Config, promises: Promises) -> None:
    """The last run: it finishes, and its log goes."""
    with open_evaluation(config, promises, 4) as evaluation:
        evaluation.save()
        evaluation.score(9, 10, 11)
        evaluation.sync()
        evaluation.score(12)
        evaluation.save()
        evaluation.score(13, 14)
        evaluation.sync()
        evaluation.score(15)
        evaluation.save()


def run_all(config: Config, promises: Promises, disk: CrashDisk) -> None:
    """All of these runs, one after the other."""
    run_until_killed(config, promises, disk)
    run_until_killed_in_a_save(config, promises, disk)
    run_until_stopped(config, promises)
    run_to_the_end(config, promises)


def run_shortly(config: Config, promises: Promises, _disk: CrashDisk) -> None:
    """A run that saves twice and is told to stop."""
    with open_evaluation(config, promises, 1) as evaluation:
        evaluation.save()
        evaluation.score(0, 1, 2)
        evaluation.sync()
        evaluation.save()


def record(config: Config, root: Path, run: Callable[[Config, Promises, CrashDisk], None], *, deaf_to: str = "") -> CrashDisk:
    """All that a crash can leave at any moment of what is run."""
    root.mkdir()
    promises = Promises()
    with closing(CrashDisk(root, promises, deaf_to=deaf_to)) as disk, disk.recording():
        run(config, promises, disk)
    return disk


def read_checkpoints(root: Path) -> dict[str, bytes]:
    """The visible checkpoints, each of them whole."""
    paths = [path for path in root.glob("checkpoints/*.json") if not path.name.startswith(".")]
    for path in paths:
        document = json.loads(path.read_bytes())
        assert document["completed_count"] == len(document["results"])
        assert document["completed_indices"] == sorted(result["question_id"] for result in document["results"])
    return {path.name: path.read_bytes() for path in paths}


def check_resume(config: Config, root: Path, aftermath: Aftermath, undisturbed: Final) -> None:
    """What is visible is whole and stays so, what was promised is there, and the resumed run ends as an undisturbed one."""
    visible = read_checkpoints(root)
    saved = max((number for what, number in aftermath.promises if what == "saved"), default=None)
    if saved is not None:
        assert json.loads(visible["latest.json"])["completed_count"] >= saved
    with open_evaluation(config, Promises(), 5) as evaluation:
        evaluation.save()
        evaluation.score(*evaluation.ledger.open_positions(range(COUNT)))
        evaluation.save()
        assert evaluation.final() == undisturbed
    assert aftermath.promises & {("answer", position) for position in evaluation.asked} == set()
    assert aftermath.promises & {("grade", position) for position in evaluation.graded} == set()
    after = read_checkpoints(root)
    assert [name for name in visible if name != "latest.json" and after[name] != visible[name]] == []


def check_all(config: Config, root: Path, disk: CrashDisk, undisturbed: Final) -> None:
    for tree, aftermath in disk.aftermaths.items():
        shutil.rmtree(root)
        root.mkdir()
        tree.build(root)
        try:
            check_resume(config, root, aftermath, undisturbed)
        except Exception as error:
            raise AssertionError(f"after a crash before operation {aftermath.moment}: {error}\n{describe(tree)}") from error


def describe(tree: Tree) -> str:
    """The tree, a line a file."""
    lines = [f"{' = '.join(sorted(names))}: {len(content):,} bytes" for names, content in tree.files]
    return "\n".join(sorted([*lines, *(f"{name} -> {target}" for name, target in tree.links)]))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_incremental: bool) -> Config:
    """Settings of a run in the folder `disk`; a segment holds few records, and fsyncs cost nothing."""
    monkeypatch.setattr(answer_log, "SEGMENT_RECORDS", SEGMENT_RECORDS)
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    overrides = Overrides(
        questions_file=str(write_questions(tmp_path, make_questions(COUNT))),
        model="fake",
        checkpoint_directory=str(tmp_path / "disk/checkpoints"),
        random_seed=1,
        save_incremental=save_incremental,
    )
    return load_config(None, overrides)


@pytest.fixture
def undisturbed(config: Config, tmp_path: Path) -> Final:
    """What an undisturbed run comes to."""
    root = tmp_path / "disk"
    root.mkdir()
    with open_evaluation(config, Promises(), 0) as evaluation:
        evaluation.score(*range(COUNT))
        final = evaluation.final()
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
@pytest.mark.parametrize("deaf_to", [".checkpoint*.tmp", "checkpoints", "writer*.jsonl", "answers", ".mcqa", "disk"])
def test_no_fsync_can_be_left_out(config: Config, tmp_path: Path, undisturbed: Final, deaf_to: str) -> None:
    """On a disk that ignores those of one kind of file or folder, something promised is lost: the test above can fail."""
    disk = record(config, tmp_path / "disk", run_shortly, deaf_to=deaf_to)
    with pytest.raises(AssertionError, match="after a crash before operation"):
        check_all(config, tmp_path / "disk", disk, undisturbed)
