"""What a run needs before anything of earlier runs is known: its folders, its model servers, its questions."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.local_servers.replicas import Replicas, start_servers
from tasks.evaluation.processes.heap import share_one_heap
from tasks.evaluation.questions.questions import Questions, read_questions
from tasks.evaluation.retrieval.opening import Source, find_source
from tasks.evaluation.run.folders import find_log_folder
from tasks.evaluation.run.preparation import Preparation, prepare, require_batch


@dataclass(frozen=True)
class Start:
    """What is read and started once, by the command or by the flow."""

    config: Config
    """The settings."""
    own_folder: Path | None
    """The folder for all of our files except the checkpoints; None without checkpointing."""
    servers: Replicas | None
    """The model servers that the settings ask for; they may still be loading."""
    questions: Questions
    """All questions of the file."""
    source: Source | None
    """Where the chunks come from that are put before questions; None without retrieval."""


@contextmanager
def begin(config: Config, config_folder: Path, own_folder: Path | None, notify: Callable[[str], None]) -> Iterator[Start]:
    """Start the model servers that the settings ask for, and read the questions while they load; at the end all are closed.

    Args:
        config: the settings.
        config_folder: the configuration's folder, for paths in it.
        own_folder: as `make_own_folder` returns it.
        notify: takes what the user should know.

    Raises:
        UserMistake: a server cannot be started, or the questions or the corpus cannot be read.
    """
    share_one_heap()
    with ExitStack() as stack:
        servers = start_servers(config, find_log_folder(own_folder), notify)
        if servers:
            stack.callback(servers.close)
        questions = stack.enter_context(closing(read_all(config, own_folder)))
        require_batch(config, questions)
        yield Start(config, own_folder, servers, questions, find_source(config, config_folder, own_folder))


@contextmanager
def read_and_prepare(
    config: Config,
    endpoints: tuple[Endpoint, Endpoint | None],
    *,
    config_folder: Path = Path(),
    own_folder: Path | None = None,
    run_id: str = "",
    notify: Callable[[str], None] = lambda _: None,
) -> Iterator[Preparation]:
    """Prepare a run that asks nothing, as `prepare` does; its questions are read before, and closed at the end.

    Raises:
        UserMistake: the questions or the corpus cannot be read, or no run is possible with these settings.
    """
    with closing(read_all(config, own_folder)) as questions:
        require_batch(config, questions)
        source = find_source(config, config_folder, own_folder)
        yield prepare(config, questions, endpoints, source=source, own_folder=own_folder, run_id=run_id, notify=notify)


def read_all(config: Config, folder: Path | None) -> Questions:
    """Return all questions of the file that the settings name; temporary copies lie in the folder, None: in the system's.

    Raises:
        UserMistake: they cannot be read.
    """
    return read_questions(
        config.questions_file,
        question_format=config.processing.question_format,
        uses_context=config.rag.uses_context,
        fields=config.fields,
        has_grader=bool(config.model.grader_shortname),
        folder=folder,
    )
