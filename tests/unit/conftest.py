"""What tests of `mcqa checkpoints`, of budgets, of several addresses, of retrieval, and of runs on workers begin with."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.budgets import COUNT, answer
from tests.support.corpora import make_chunks, save_to_disk
from tests.support.evaluation import Evaluation
from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions
from tests.support.fake_prefect import FakePrefect
from tests.support.retrieval import QUESTIONS, TOP_K, VECTORS, Encoder
from tests.support.saved_checkpoints import URL


@pytest.fixture
def checkpoint_folder(folder: Path) -> None:
    """Write twelve questions, a configuration, and an empty checkpoint directory."""
    write_questions(folder, make_questions(12))
    write_config(folder, URL)
    (folder / "checkpoints").mkdir()


@pytest.fixture
def pair() -> Iterator[list[FakeEndpoint]]:
    """Yield two model servers."""
    with ExitStack() as stack:
        yield [stack.enter_context(FakeEndpoint()) for _ in range(2)]


@pytest.fixture
def encoder() -> Iterator[Encoder]:
    """Start an encoder's endpoint."""
    with Encoder() as encoder:
        yield encoder


@pytest.fixture
def rag(folder: Path, encoder: Encoder) -> dict[str, object]:
    """Write the questions and a corpus; return the settings that retrieve from it."""
    write_questions(folder, QUESTIONS)
    save_to_disk(folder / "corpus", make_chunks(VECTORS))
    return {
        "rag.retrieval_top_k": TOP_K,
        "rag.retriever_config": {
            "faiss_config": {"dataset_dir": "corpus"},
            "encoder_config": {"name": "openai", "model": "e", "base_url": encoder.url, "api_key": "any-string"},
        },
    }


@pytest.fixture
def listed(folder: Path) -> Path:
    """Return a file that lists nothing yet."""
    path = folder / "servers.txt"
    path.touch()
    return path


@pytest.fixture
def budgeted(evaluation: Evaluation, endpoint: FakeEndpoint) -> Evaluation:
    """Return an evaluation of 40 questions at an endpoint whose replies take 20 to 79 tokens."""
    write_questions(Path(), make_questions(COUNT))
    endpoint.rule = answer
    return evaluation


@pytest.fixture
def server() -> Iterator[FakePrefect]:
    """Yield a stand-in for Prefect's server."""
    with FakePrefect() as server:
        yield server
