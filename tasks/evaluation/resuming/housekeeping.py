"""Removal of files: of older checkpoints on request, and of what killed runs have left when the next run starts.

Nothing is removed that a later run could need or that a living process uses. These files stay:

- a checkpoint, unless a newer one of its evaluation holds as much; the one that latest.json names always stays;
- a temporary file, unless it is abandoned (`temporary_files`);
- the lock of an evaluation or of a run, or the log of a model server, while a process holds it (for a day, if the file system
  has no locks);
- a segment of the answer log that holds anything. It is removed once checkpoints hold its records (`answer_log`).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.errors import StorageFailure
from tasks.evaluation.storage.answer_log import list_segments
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_folder import read_latest_name
from tasks.evaluation.storage.folders import sync_folder
from tasks.evaluation.storage.layout import ANSWERS_FOLDER, LOCKS_FOLDER, LOGS_FOLDER
from tasks.evaluation.storage.locks import RUN_SUFFIX, SUFFIX, remove_unless_locked
from tasks.evaluation.storage.temporary_files import TEMPORARY_NAME, is_abandoned, is_old

logger = logging.getLogger(__name__)

KEPT_LOGS = 20
# The name of a log ends with the time when its server was started, with microseconds.
LOG_STAMP_LENGTH = len("20261123_145103_827579")


@dataclass(frozen=True)
class Removed:
    """A file that was removed, and the space that this freed."""

    path: Path
    size_bytes: int


def prune(folder: Path, checkpoints: Iterable[Checkpoint], keep: int) -> list[Removed]:
    """Remove all but the newest `keep` checkpoints of each evaluation, as `choose_superfluous` decides; return those removed.

    Raises:
        StorageFailure: a checkpoint cannot be removed.
    """
    superfluous = choose_superfluous(checkpoints, keep, read_latest_name(folder))
    removed: list[Removed] = []
    for checkpoint in superfluous:
        try:
            size_bytes = checkpoint.path.stat().st_size
            checkpoint.path.unlink()
            removed.append(Removed(checkpoint.path, size_bytes))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StorageFailure(f"cannot remove {checkpoint.path}: {error.strerror or error}; remove it by hand") from error
    if removed:
        # If this fails, a removed file may reappear after a power failure, which does no harm.
        with suppress(OSError):
            sync_folder(folder)
    return removed


def choose_superfluous(checkpoints: Iterable[Checkpoint], keep: int, latest: str | None) -> list[Checkpoint]:
    """Return the checkpoints that hold no more than a newer one of their evaluation, except the newest `keep` of each.

    Args:
        checkpoints: the newest first. Those of the original script name no evaluation, and are never superfluous.
        keep: the number of checkpoints of each evaluation that stay.
        latest: the name of a checkpoint that stays in any case.
    """
    kept: dict[str, list[Checkpoint]] = {}
    superfluous: list[Checkpoint] = []
    for checkpoint in checkpoints:
        newer = kept.setdefault(checkpoint.evaluation_id, [])
        # A run that was deliberately resumed from an older checkpoint holds less than the newer one that it ignored.
        holds_more = all(checkpoint.completed_count > each.completed_count for each in newer)
        is_kept = len(newer) < keep or holds_more or checkpoint.path.name == latest or not checkpoint.evaluation_id
        (newer if is_kept else superfluous).append(checkpoint)
    return superfluous


def split_running(checkpoints: Sequence[Checkpoint], running: AbstractSet[str]) -> tuple[list[Checkpoint], list[Checkpoint]]:
    """Return the checkpoints that no process is working on, and those of running evaluations."""
    idle = [each for each in checkpoints if each.evaluation_id not in running]
    return idle, [each for each in checkpoints if each.evaluation_id in running]


def remove_leftovers(own_folder: Path, output_folder: Path, now: float) -> list[Path]:
    """Remove the unused files that killed runs have left; return their paths. A file that cannot be removed stays.

    Args:
        own_folder: the `.mcqa` folder of a checkpoint directory.
        output_folder: where results are written.
        now: seconds since the epoch.
    """
    folders = {own_folder.parent.resolve(), output_folder.resolve()}
    temporaries = [path for folder in sorted(folders) for path in _list(folder) if TEMPORARY_NAME.fullmatch(path.name)]
    unheld = [
        *(path for path in _list(own_folder / LOCKS_FOLDER) if path.suffix in (SUFFIX, RUN_SUFFIX)),
        *(path for path in list_segments(own_folder / ANSWERS_FOLDER) if _is_old_and_empty(path, now)),
        *_list_old_logs(own_folder / LOGS_FOLDER),
    ]
    return [
        *_remove(temporaries, lambda path: is_abandoned(path, now) and _unlink(path)),
        *_remove(unheld, lambda path: remove_unless_locked(path, even_if_unknown=is_old(path, now))),
    ]


def _remove(paths: Iterable[Path], remove: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield the files for which `remove` returns True. An error is only logged: housekeeping never stops a run."""
    for path in paths:
        try:
            if remove(path):
                logger.debug("removed %s, left by an earlier run", path)
                yield path
        except OSError as error:
            logger.debug("cannot remove %s: %s", path, error)


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _unlink(path: Path) -> bool:
    path.unlink()
    return True


def _is_old_and_empty(path: Path, now: float) -> bool:
    """Return True if a killed run has left this segment empty.

    A new segment is empty too, and for an instant not yet locked: only its age tells it from an abandoned one.
    """
    with suppress(OSError):
        return path.stat().st_size == 0 and is_old(path, now)
    return False


def _list_old_logs(folder: Path) -> list[Path]:
    """Return the logs of model servers except the newest `KEPT_LOGS`, by the time in their names."""
    logs = sorted((path for path in _list(folder) if path.suffix == ".log"), key=lambda path: path.stem[-LOG_STAMP_LENGTH:])
    return logs[:-KEPT_LOGS]
