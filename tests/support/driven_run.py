"""The product's own run, driven step by step: without a network, and with fsyncs and times that a test decides."""

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.bill import Bill
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.questions.questions import Questions
from tasks.evaluation.run.batches import Batch
from tasks.evaluation.run.factories import Factories
from tasks.evaluation.run.folders import check_folders
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.run import Run
from tasks.evaluation.run.start import Start
from tasks.evaluation.storage.answer_log import AnswerLog
from tests.support.fake_endpoint import LETTERS

START = datetime(2026, 11, 23, 14, 30, 22)  # noqa: DTZ001 - the documented times are local


class Clock:
    """Goes on by five seconds each time that it is looked at.

    Args:
        hour: of the day on which the runs of a test take place.
    """

    def __init__(self, hour: int) -> None:
        self._now = START + timedelta(hours=hour)

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=5)
        return self._now


class Model(Client):
    """Answers without a network.

    Args:
        note: takes the number of each question that is asked.
    """

    def __init__(self, note: Callable[[int], None]) -> None:
        self.endpoint = Endpoint("generator", None, NO_KEY, {"model": "fake"})
        self.bill = Bill(self.endpoint, None)
        self.fleet = None
        self._note_asked = note

    @property
    def addresses(self) -> list[Address]:
        return []

    async def ask(self, messages: list[Message], *, can_shorten: bool = False) -> Answer:  # noqa: ARG002 - as it is called
        found = re.search(r"Question (\d+)", str(messages[-1]["content"]))
        assert found
        number = int(found[1])
        self._note_asked(number)
        return Answer(f"The answer to {number} is {LETTERS[number % 4]}.", None, {"total_tokens": 12}, "stop", "fake", 0.5)

    def stop(self, cause: Exception) -> None:
        """Go on answering: what still asks after that is counted."""

    async def close(self) -> None:
        """Hold no connection."""


class SteppedLog(AnswerLog):
    """An answer log that fsyncs when `_sync` is called and at its end, so that every run does the same in the same order."""

    def _sync_until_closed(self) -> None:
        self._closing.wait()
        self._sync()


def make_config(folder: Path, questions_file: Path, **processing: object) -> Config:
    """Return the settings of a run whose checkpoints and results lie in the folder."""
    model = {"generator_settings": {"model": "fake", "base_url": "http://127.0.0.1:9/v1"}}
    settings = {"checkpoint_directory": str(folder / "checkpoints"), "progress_bar": False, **processing}
    output = {"output_directory": str(folder / "out"), "save_incorrect": True}
    return Config.model_validate(
        {"questions_file": str(questions_file), "model": model, "processing": settings, "output": output}
    )


def open_driven(
    config: Config, model: Model, make_log: Callable[..., AnswerLog], hour: int, questions: Questions | None = None
) -> AbstractContextManager[Run]:
    """Open the run that the settings describe, with this model, this log and the times of that hour.

    If the questions are given, they are not read, like those of a flow whose command has read them.
    """
    factories = Factories(make_client=lambda *_, **__: model, make_log=make_log, now=Clock(hour))
    return open_run(
        config,
        config_file=None,
        run_id=f"run {hour}",
        keys=KeyReader({}, str),
        log=lambda _, __: None,
        factories=factories,
        start=Start(config, check_folders(config), None, questions, None) if questions else None,
    )


def score(run: Run, positions: Iterable[int]) -> None:
    """Score the questions at these positions, one after the other."""
    for position in positions:
        run.score(Batch(range(position, position + 1), ""))


def read_final(run: Run, positions: Iterable[int]) -> list[tuple[Any, ...]]:
    """Return number, answer and score of the questions at these positions."""
    results = [run.ledger.read_result(position) for position in positions]
    return [(result["question_id"], result["model_answer"], result["score"]) for result in results]
