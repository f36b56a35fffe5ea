"""What is removed, and when: older checkpoints when they are asked to go, and what killed runs have left at the next start.

Nothing is removed that a later run could need, or that a living process uses:

- a checkpoint, while its evaluation has none that is newer and holds as much, and never the one that latest.json names;
- a draft, unless it is abandoned (`drafts`);
- the lock of an evaluation, and the log of a model server, while some process holds it (for a day, where the file system has
  no locks to tell);
- a segment of the answer log that holds anything. Those go with the checkpoints that hold them (`answer_log`).
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
from tasks.evaluation.storage.locks import SUFFIX, remove_unless_locked
from tasks.evaluation.storage.temporary_files import TEMPORARY_NAME, is_abandoned, is_old

logger = logging.getLogger(__name__)

KEPT_LOGS = 20
# At a log's end: when its server was started, with microseconds.
LOG_STAMP_LENGTH = len("20261123_145103_827579")


@dataclass(frozen=True)
class Removed:
    """A file that is gone, and the space that this has freed."""

    path: Path
    size_bytes: int


def prune(folder: Path, checkpoints: Iterable[Checkpoint], keep: int) -> list[Removed]:
    """Remove all checkpoints but the newest `keep` of each evaluation, as `choose_superfluous` says; give what was removed.

    Raises:
        StorageFailure: one cannot be removed.
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
        # After a power failure a removed file may be there again, which does no harm.
        with suppress(OSError):
            sync_folder(folder)
    return removed


def choose_superfluous(checkpoints: Iterable[Checkpoint], keep: int, latest: str | None) -> list[Checkpoint]:
    """The checkpoints of which newer ones of the same evaluation hold as much, but for its newest `keep`.

    Args:
        checkpoints: the newest first. The original's name no evaluation, and are never superfluous.
        keep: how many of each evaluation stay.
        latest: the name of a checkpoint that stays in any case.
    """
    kept: dict[str, list[Checkpoint]] = {}
    superfluous: list[Checkpoint] = []
    for checkpoint in checkpoints:
        newer = kept.setdefault(checkpoint.evaluation_id, [])
        # A run that was resumed from an older file on purpose holds less than the one that it passed over.
        holds_more = all(checkpoint.completed_count > each.completed_count for each in newer)
        is_kept = len(newer) < keep or holds_more or checkpoint.path.name == latest or not checkpoint.evaluation_id
        (newer if is_kept else superfluous).append(checkpoint)
    return superfluous


def split_running(checkpoints: Sequence[Checkpoint], running: AbstractSet[str]) -> tuple[list[Checkpoint], list[Checkpoint]]:
    """The checkpoints that nobody works on, and those of evaluations that are going on."""
    idle = [each for each in checkpoints if each.evaluation_id not in running]
    return idle, [each for each in checkpoints if each.evaluation_id in running]


def remove_leftovers(own_folder: Path, output_folder: Path, now: float) -> list[Path]:
    """Remove what killed runs have left and nobody uses; give what was removed. What cannot be removed stays.

    Args:
        own_folder: the folder `.mcqa` of a checkpoint directory.
        output_folder: where results are written.
        now: seconds since the epoch.
    """
    folders = {own_folder.parent.resolve(), output_folder.resolve()}
    temporaries = [path for folder in sorted(folders) for path in _list(folder) if TEMPORARY_NAME.fullmatch(path.name)]
    unheld = [
        *(path for path in _list(own_folder / LOCKS_FOLDER) if path.suffix == SUFFIX),
        *(path for path in list_segments(own_folder / ANSWERS_FOLDER) if _is_old_and_empty(path, now)),
        *_list_old_logs(own_folder / LOGS_FOLDER),
    ]
    return [
        *_remove(temporaries, lambda path: is_abandoned(path, now) and _unlink(path)),
        *_remove(unheld, lambda path: remove_unless_locked(path, even_if_unknown=is_old(path, now))),
    ]


def _remove(paths: Iterable[Path], remove: Callable[[Path], bool]) -> Iterator[Path]:
    """Those of the files that `remove` says to have removed. Housekeeping never keeps a run from going on."""
    for path in paths:
        try:
            if remove(path):
                logger.debug("removed %s, which a run has left", path)
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
    """A new segment is empty too, and for an instant not yet locked: its age tells it from one that was left."""
    with suppress(OSError):
        return path.stat().st_size == 0 and is_old(path, now)
    return False


def _list_old_logs(folder: Path) -> list[Path]:
    """The logs of model servers but for the newest ones, by the time in their names."""
    logs = sorted((path for path in _list(folder) if path.suffix == ".log"), key=lambda path: path.stem[-LOG_STAMP_LENGTH:])
    return logs[:-KEPT_LOGS]
