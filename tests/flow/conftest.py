"""What the tests of the flow begin with."""

from pathlib import Path

import pytest

from tests.support.exam import COUNT
from tests.support.fake_endpoint import (
    make_questions,
    write_questions,
)


@pytest.fixture
def exam(prefect_server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a server, a working directory with questions, and the key in the environment."""
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")
    write_questions(folder, make_questions(COUNT))
