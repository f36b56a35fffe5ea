"""What the tests of `mcqa checkpoints` begin with."""

from pathlib import Path

import pytest

from tests.support.fake_endpoint import make_questions, write_config, write_questions
from tests.support.saved_checkpoints import URL


@pytest.fixture
def checkpoint_folder(folder: Path) -> None:
    """Write twelve questions, a configuration, and an empty checkpoint directory."""
    write_questions(folder, make_questions(12))
    write_config(folder, URL)
    (folder / "checkpoints").mkdir()
