"""Folders of an earlier version, whose run was killed: the present one continues them and pays for nothing again.

Each folder in `earlier_version` holds an exam of eight questions and what SIGKILL has left of its run in batches of three: a
checkpoint of the first questions, an answer log that holds more, and of the graded run one batch of Prefect's results.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.exam import read_final, read_latest, run
from tests.support.fake_endpoint import FakeEndpoint, write_config

KEPT = Path(__file__).parent / "earlier_version"
PLACES = {"checkpoint_*": "checkpoints", "*.jsonl": "checkpoints/.mcqa/answers", "batch-*": "checkpoints/.mcqa/results"}
SCORES = [1, 1, 0, 1, 1, 0, 1, 1]
# The second question of the graded run was refused for what it holds, and stays so.
GRADED_SCORES = [1, None, 0, 1, 1, 0, 1, 1]


@pytest.fixture(autouse=True)
def key(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the key into the environment, and have a Prefect server."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")


def put_back(folder: Path, kind: str, *patterns: str) -> None:
    """Lay out the exam of this kind, and what its run has left in the files of these patterns."""
    shutil.copy(KEPT / kind / "exam.json", folder)
    for pattern in patterns:
        [path] = (KEPT / kind).glob(pattern)
        (folder / PLACES[pattern]).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / PLACES[pattern])


def continue_run(folder: Path, endpoint: FakeEndpoint, *, grader: bool = False) -> Any:
    """Return the state in which a run with the settings of then ends."""
    return run(write_config(folder, endpoint.url, grader=grader, parallel_workers=1, checkpoint_interval=3, batch_size=3))


def list_asked(endpoint: FakeEndpoint, *, grader: bool = False) -> list[int]:
    """Return the questions that were asked, or graded."""
    found = (re.search(r"Question (\d+)", prompt) for prompt in endpoint.asked(grader=grader).elements())
    return sorted(int(match[1]) for match in found if match)


def read_scores(folder: Path) -> list[float | None]:
    return [result.get("score") for result in read_final(folder)["results"]]


def test_a_graded_run_is_continued(folder: Path, endpoint: FakeEndpoint) -> None:
    """Three questions from the checkpoint, two from the log, one answer of which only the grade is missing: two are left."""
    put_back(folder, "graded", "checkpoint_*", "*.jsonl", "batch-*")
    assert continue_run(folder, endpoint, grader=True).is_completed()
    assert list_asked(endpoint) == [7, 8]
    assert list_asked(endpoint, grader=True) == [6, 7, 8]
    assert read_scores(folder) == GRADED_SCORES
    assert read_latest(folder)["completed_count"] == len(GRADED_SCORES)


def test_a_run_without_a_grader_is_continued(folder: Path, endpoint: FakeEndpoint) -> None:
    """Five questions from the checkpoint, a sixth from the log: two are left."""
    put_back(folder, "read", "checkpoint_*", "*.jsonl")
    assert continue_run(folder, endpoint).is_completed()
    assert list_asked(endpoint) == [7, 8]
    assert read_scores(folder) == SCORES
    assert read_latest(folder)["completed_count"] == len(SCORES)


@pytest.mark.parametrize(
    ("pattern", "asked", "graded"),
    [
        ("checkpoint_*", [4, 5, 6, 7, 8], [4, 5, 6, 7, 8]),
        ("*.jsonl", [7, 8], [6, 7, 8]),
        ("batch-*", [4, 5, 6, 7, 8], [4, 5, 6, 7, 8]),
    ],
)
def test_each_copy_alone_is_continued(
    folder: Path, endpoint: FakeEndpoint, pattern: str, asked: list[int], graded: list[int]
) -> None:
    """The checkpoint, the answer log, or Prefect's result of the first batch: what it holds is not paid for again."""
    put_back(folder, "graded", pattern)
    assert continue_run(folder, endpoint, grader=True).is_completed()
    assert list_asked(endpoint) == asked
    assert list_asked(endpoint, grader=True) == graded
    assert read_scores(folder) == GRADED_SCORES


def test_another_grader_grades_the_answers_of_an_earlier_version(folder: Path, endpoint: FakeEndpoint) -> None:
    """Answers are kept as such: only those that are missing are asked for, and every one is graded."""
    put_back(folder, "read", "checkpoint_*", "*.jsonl")
    assert continue_run(folder, endpoint, grader=True).is_completed()
    assert list_asked(endpoint) == [7, 8]
    assert list_asked(endpoint, grader=True) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert read_scores(folder) == SCORES
