"""Makes checkpoints in a folder without a run, and calls `mcqa checkpoints` on them."""

import fcntl
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows.commands.cli import main
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.reporting.summary import compute_statistics
from tasks.evaluation.run.fit import NoKeys
from tasks.evaluation.run.opening import open_ledger
from tasks.evaluation.run.preparation import find_endpoints
from tasks.evaluation.run.start import read_and_prepare
from tasks.evaluation.scoring.records import Grade, Refusal, build_refused, build_result
from tasks.evaluation.storage.checkpoint_writer import CheckpointWriter

URL = "http://127.0.0.1:9/v1"
ORIGINAL = Path(__file__).parent.parent / "flow/original/checkpoint_exam_argo:fake_20261123_035022.json"
ANSWER = Answer("The answer is B.", None, {}, "stop", "fake", 0.1)
GRADE = Grade({"score": 1, "format": "mc"}, {}, 0.0)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command; return its exit code and everything that it prints."""
    with pytest.raises(SystemExit) as end:
        main(["checkpoints", *arguments])
    printed = capsys.readouterr()
    return int(str(end.value.code)), printed.out + printed.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run(capsys, *arguments, "--json")[1])


def save(scored: int, hour: int, *, refused: int = 0, run_id: str = "", **settings: object) -> Path:
    """Save a checkpoint of the first questions of the evaluation that config.yaml describes with these settings."""
    config = load_config("config.yaml", Overrides.model_validate(settings))
    endpoints = find_endpoints(config, Path(), NoKeys())
    with (
        read_and_prepare(config, endpoints, run_id=run_id, notify=print) as preparation,
        open_ledger(preparation) as ledger,
    ):
        for position in range(scored + refused):
            question, ids = ledger.questions[position], ledger.roster.ids(position)
            assert question
            refusal = build_refused(ids, question, Refusal("no", {}), None)
            ledger.finish(position, build_result(ids, question, ANSWER, GRADE) if position < scored else refusal)
        writer = CheckpointWriter(
            Path("checkpoints"),
            "checkpoint_exam_fake",
            ledger.results,
            lambda _: {"statistics": compute_statistics(ledger).to_json(), **preparation.describe().to_metadata()},
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


def point_latest_at(path: Path) -> None:
    Path("checkpoints/latest.json").unlink()
    Path("checkpoints/latest.json").symlink_to(path.name)


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
