"""The folders that a run writes to: made, and tried, before anything is paid for."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.storage.folders import find_existing, make_folder
from tasks.evaluation.storage.free_space import count_needed_bytes, find_shortage
from tasks.evaluation.storage.layout import ANSWERS_FOLDER, LOCKS_FOLDER, LOGS_FOLDER, OWN_FOLDER


def check_folders(config: Config, *, is_dry: bool = False) -> Path | None:
    """Return the folder for our own files, as `make_own_folder` does, and check that the results can be written.

    Raises:
        UserMistake: nothing can be written to one of them.
    """
    own_folder = make_own_folder(config, is_dry=is_dry)
    check_output_folder(config, is_dry=is_dry)
    return own_folder


def make_own_folder(config: Config, *, is_dry: bool = False) -> Path | None:
    """Return the folder for our own files within the checkpoint directory, made if missing; None without checkpointing.

    A dry run does not make it, but checks that it could be made.

    Raises:
        UserMistake: nothing can be written there, or the disk has too little space.
    """
    if not config.processing.enable_checkpointing:
        return None
    directory = Path(config.processing.checkpoint_directory)
    folder = directory / OWN_FOLDER
    with _explain_failure(f"the checkpoint directory {directory}", "name another with --checkpoint-dir"):
        for written in (directory, folder / ANSWERS_FOLDER, folder / LOCKS_FOLDER):
            if not is_dry:
                make_folder(written)
            _try_writing(written)
    shortage = find_shortage(find_existing(folder), count_needed_bytes(config))
    if shortage:
        raise UserMistake(str(shortage))
    return folder


def check_output_folder(config: Config, *, is_dry: bool = False) -> None:
    """Check that the results can be written, before anything is paid for; make their folder, except in a dry run.

    Raises:
        UserMistake: they cannot.
    """
    folder = Path(config.output.output_directory)
    with _explain_failure(f"the output directory {folder}", "set another output_directory"):
        if not is_dry:
            folder.mkdir(parents=True, exist_ok=True)
        _try_writing(folder)


def find_log_folder(own_folder: Path | None) -> Path:
    """Return the folder for the logs of servers that we start."""
    return own_folder / LOGS_FOLDER if own_folder else Path(tempfile.gettempdir())


def _try_writing(folder: Path) -> None:
    """Make a file and remove it, in the folder or in the nearest one above it that exists; raises OSError."""
    tempfile.TemporaryFile(dir=find_existing(folder)).close()


@contextmanager
def _explain_failure(directory: str, advice: str) -> Iterator[None]:
    """Report that the directory cannot be written, and how to mend that.

    Raises:
        UserMistake: in place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise UserMistake(f"cannot write in {directory}: {error.strerror}; {advice}, or fix its permissions") from None
