"""What tests of `mcqa checkpoints`, and of several addresses, begin with."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.fake_endpoint import FakeEndpoint, make_questions, write_config, write_questions
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
