"""An evaluation below Prefect, for tests: real settings, files and requests; no cache, no batch results."""

import itertools
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tasks.evaluation.config.config import Config
from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.run.opening import open_run
from tasks.evaluation.run.run import Run
from tests.support.fake_endpoint import LETTERS, FakeEndpoint, write_config, write_questions

KEYS = {"FAKE_KEY": "sk-1", "OTHER_KEY": "sk-2"}


class Evaluation:
    """Runs exam.json against an endpoint, in the working directory. Settings are changed by their paths in the YAML file."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self.endpoint = endpoint
        write_config(Path(), endpoint.url)  # for the list of graders beside it

    def run(
        self, changed: Mapping[str, object] | None = None, *, run_id: str = "first", batches: int | None = None
    ) -> list[dict[str, Any]]:
        """Score all batches, or only `batches` of them without a save at the end, as if killed; return the results in order.

        The endpoint remembers what this run has asked, and nothing else.
        """
        self.endpoint.forget()
        with self.open(changed or {}, run_id=run_id) as run:
            run.saver.save()
            retrieve(run)
            for batch in itertools.islice(run.batches.list_open(), batches):
                run.score(batch)
            if batches is None:
                run.saver.save()
            positions = sorted(run.ledger.results.positions(0, len(run.ledger.results)))
            return [run.ledger.read_result(position) for position in positions]

    def open(self, changed: Mapping[str, object], *, run_id: str) -> AbstractContextManager[Run]:
        """Open a run with these values in place of the usual ones."""
        keys = KeyReader(KEYS, str)
        return open_run(self.configure(changed), config_file=None, run_id=run_id, keys=keys, log=lambda _, __: None)

    def configure(self, changed: Mapping[str, object]) -> Config:
        """Return the settings with these values in place of the usual ones."""
        settings: dict[str, Any] = {
            "questions_file": "exam.json",
            "model": {"generator_settings": {"model": "fake", "base_url": self.endpoint.url, "api_key": "${FAKE_KEY}"}},
            "rag": {},
            "processing": {"batch_size": 10, "parallel_workers": 4, "progress_bar": False},
        }
        for path, value in changed.items():
            *sections, name = path.split(".")
            section = settings
            for each in sections:
                section = section.setdefault(each, {})
            section[name] = value
        return Config.model_validate(settings)


def retrieve(run: Run) -> None:
    """Retrieve what is put before the run's questions, if anything is."""
    contexts = run.context_batches
    for batch in contexts.list_open() if contexts else ():
        assert contexts
        try:
            assert contexts.accept(batch, contexts.retrieve(batch))
        except UnfinishedBatch as failure:
            contexts.note_failure(batch, failure)


def count_asked(endpoint: FakeEndpoint) -> tuple[int, int]:
    """Return how many answers and how many grades the last run has asked for."""
    return endpoint.asked().total(), endpoint.asked(grader=True).total()


def assert_own_answers(results: list[dict[str, Any]]) -> None:
    """Check that each question is there once, with the answer that the endpoint gives to it and to no neighbour."""
    assert [result["question_id"] for result in results] == list(range(1, len(results) + 1))
    numbers = [int(result["question"].split(":")[0].removeprefix("Question ")) for result in results]
    assert [result["model_answer"] for result in results] == [f"The answer is {LETTERS[n % 4]}." for n in numbers]
    assert len(set(numbers)) == len(numbers)
    assert [result["score"] for result in results] == [int(n % 3 != 0) for n in numbers]


def rename_grader(folder: Path) -> None:
    """Make the grader's short name stand for another model."""
    servers = folder / "model_servers.yaml"
    servers.write_text(servers.read_text().replace("judge-1", "judge-2"))


def fix_reference(folder: Path, number: int) -> None:
    """Make the reference what the endpoint answers."""
    questions = json.loads((folder / "exam.json").read_text())
    questions[number - 1]["answer"] = f"{LETTERS[number % 4]})"
    write_questions(folder, questions)
