"""A run's preparation for tests below the run: its questions are read before it, and closed after it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.run.preparation import Preparation, prepare
from tasks.evaluation.run.start import read_all


@contextmanager
def prepared(
    config: Config,
    endpoints: tuple[Endpoint, Endpoint | None],
    *,
    own_folder: Path | None = None,
    run_id: str = "",
    notify: Callable[[str], None] = lambda _: None,
) -> Iterator[Preparation]:
    """Read the questions and prepare the run that the settings describe."""
    with closing(read_all(config, own_folder)) as questions:
        yield prepare(config, questions, endpoints, own_folder=own_folder, run_id=run_id, notify=notify)
