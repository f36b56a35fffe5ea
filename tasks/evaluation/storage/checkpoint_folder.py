"""The checkpoints in a directory, ours and the original script's, which are found by content, not by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.storage.checkpoint import LATEST, NAME_PREFIX, Checkpoint
from tasks.evaluation.storage.checkpoint_reader import read_checkpoint


@dataclass(frozen=True)
class DamagedCheckpoint:
    """A file that seems to be a checkpoint, by its content or its name, but cannot be read as one."""

    path: Path
    """The file."""
    reason: str
    """What is wrong with it."""


def find_checkpoints(folder: Path, notify: Callable[[str], None]) -> list[Checkpoint]:
    """Return the checkpoints in the folder, newest first by the time inside; call `notify` for each damaged one."""
    found, damaged = survey_checkpoints(folder)
    for each in damaged:
        notify(f"⚠️ Passed over a damaged checkpoint: {each.path} ({each.reason})")
    return found


def survey_checkpoints(folder: Path) -> tuple[list[Checkpoint], list[DamagedCheckpoint]]:
    """Return the checkpoints in the folder, newest first by the time inside, and the damaged ones in order of their names.

    Every .json and .json.gz file whose name does not begin with a dot is examined.
    """
    found: list[Checkpoint] = []
    damaged: list[DamagedCheckpoint] = []
    paths = [path for path in sorted(folder.iterdir()) if _may_be_checkpoint(path)] if folder.is_dir() else []
    for path in paths:
        try:
            checkpoint = read_checkpoint(path)
            if checkpoint is None and path.name.startswith(NAME_PREFIX):
                raise DamagedFile("it is not a checkpoint, despite its name")  # noqa: TRY301
        except DamagedFile as error:
            # A file that has vanished in the meantime was removed, not damaged.
            damaged += [DamagedCheckpoint(path, str(error))] if path.exists() else []
        else:
            found += [checkpoint] if checkpoint else []
    return sorted(found, key=lambda checkpoint: (checkpoint.timestamp, checkpoint.path.name), reverse=True), damaged


def read_latest_name(folder: Path) -> str | None:
    """Return the name of the checkpoint that latest.json links to; None if there is no such link."""
    link = folder / LATEST
    return link.readlink().name if link.is_symlink() else None


def _may_be_checkpoint(path: Path) -> bool:
    is_json = path.name.endswith((".json", ".json.gz")) and not path.name.startswith(".")
    return is_json and path.name != LATEST and path.is_file()
