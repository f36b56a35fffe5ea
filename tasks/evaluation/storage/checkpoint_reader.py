"""The checkpoints that earlier runs have left, ours and the original's: found by content, not by name."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.storage.checkpoint import LATEST
from tasks.evaluation.storage.json_stream import read_object

TAIL_BYTES = 1 << 18
# How the original stored a failed request as if it were an answer.
ORIGINAL_ERROR = "Error: "
# The key under `metadata` that holds what is ours.
OURS = "mcqa_flow"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint without its results."""

    path: Path
    timestamp: datetime
    completed_count: int
    metadata: JsonObject
    config: JsonObject

    @property
    def ours(self) -> JsonObject:
        """What only our checkpoints say; empty in the original's."""
        ours = self.metadata.get(OURS)
        return ours if isinstance(ours, dict) else {}

    @property
    def evaluation_id(self) -> str:
        """The evaluation that it belongs to; empty in the original's."""
        return str(self.ours.get("evaluation_id") or "")

    @property
    def private_run_id(self) -> str:
        """The run that alone may use its answers; empty: any may."""
        return str(self.ours.get("salt") or "")

    @property
    def run_id(self) -> str:
        """The flow run that has written it; empty in the original's."""
        return str(self.ours.get("run_id") or "")

    @property
    def resumed_from(self) -> str:
        """The name of the checkpoint that its run was told to continue; empty when it was told none."""
        return str(self.ours.get("resumed_from") or "")

    @property
    def selection(self) -> JsonObject:
        """What it says of the questions' selection; empty in the original's."""
        return self._part("selection")

    @property
    def settings(self) -> JsonObject:
        """What it says of the settings that decide about reuse; empty in the original's."""
        return self._part("settings")

    def _part(self, name: str) -> JsonObject:
        part = self.ours.get(name)
        return part if isinstance(part, dict) else {}


@dataclass(frozen=True)
class DamagedCheckpoint:
    """A file that was a checkpoint, or has the name of one, and cannot be read as one."""

    path: Path
    reason: str


def find_checkpoints(folder: Path, notify: Callable[[str], None]) -> list[Checkpoint]:
    """The checkpoints in the folder, the newest by the time inside first; a damaged one is said and passed over."""
    found, damaged = survey_checkpoints(folder)
    for each in damaged:
        notify(f"⚠️ Passed over a damaged checkpoint: {each.path} ({each.reason})")
    return found


def survey_checkpoints(folder: Path) -> tuple[list[Checkpoint], list[DamagedCheckpoint]]:
    """The checkpoints in the folder, the newest by the time inside first, and the damaged ones by name.

    Found by content: every .json and .json.gz file whose name does not begin with a dot is looked at.
    """
    found: list[Checkpoint] = []
    damaged: list[DamagedCheckpoint] = []
    paths = [path for path in sorted(folder.iterdir()) if _may_be_checkpoint(path)] if folder.is_dir() else []
    for path in paths:
        try:
            checkpoint = read_checkpoint(path)
            if checkpoint is None and path.name.startswith("checkpoint_"):
                raise DamagedFile("it is no checkpoint, in spite of its name")  # noqa: TRY301
        except DamagedFile as error:
            # One that has gone in between was removed, which is no damage.
            damaged += [DamagedCheckpoint(path, str(error))] if path.exists() else []
        else:
            found += [checkpoint] if checkpoint else []
    return sorted(found, key=lambda checkpoint: (checkpoint.timestamp, checkpoint.path.name), reverse=True), damaged


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint's own facts, without its results; None for a JSON file that is no checkpoint.

    Raises:
        DamagedFile: the file cannot be read, ends early, or contradicts itself.
    """
    members = _read_ends(path) or _read_whole(path)
    if "completed_indices" not in members or "config" not in members:
        return None
    count, indices, config = members.get("completed_count"), members["completed_indices"], members["config"]
    if not isinstance(indices, list) or count != len(indices) or count != members.get("results_count", count):
        listed = f"{len(indices)} completed_indices" if isinstance(indices, list) else "no list of completed_indices"
        held = members.get("results_count", "as many")
        raise DamagedFile(f"completed_count is {count}, but it has {listed} and {held} results")
    metadata = members.get("metadata")
    return Checkpoint(
        path=path,
        timestamp=_read_time(members.get("timestamp")),
        completed_count=len(indices),
        metadata=metadata if isinstance(metadata, dict) else {},
        config=config if isinstance(config, dict) else {},
    )


def read_results(path: Path) -> Iterator[JsonObject]:
    """The results in a checkpoint, one after the other.

    Raises:
        DamagedFile: the file ends early or does not parse, perhaps after some results have come.
    """
    with _open_text(path) as source:
        for key, value in read_object(source, streamed="results"):
            if key == "results" and isinstance(value, dict):
                yield value


def read_completed_indices(path: Path) -> set[JsonValue]:
    """The numbers of the questions that a checkpoint says to hold.

    Raises:
        DamagedFile: the file cannot be read.
    """
    indices = (_read_ends(path) or _read_whole(path)).get("completed_indices")
    return {index for index in indices if isinstance(index, int)} if isinstance(indices, list) else set()


def is_failed_request(result: JsonObject) -> bool:
    """Whether a result of the original's holds an error in the place of an answer."""
    return str(result.get("model_answer")).startswith(ORIGINAL_ERROR)


def read_named_checkpoint(path: str) -> Checkpoint:
    """The checkpoint that the user named.

    Raises:
        UserMistake: there is no such file, it is damaged, or it is no checkpoint.
    """
    try:
        checkpoint = read_checkpoint(Path(path))
    except DamagedFile as error:
        raise UserMistake(f"cannot resume from {path}: {error}") from None
    if checkpoint is None:
        raise UserMistake(f"cannot resume from {path}: it is no checkpoint")
    return checkpoint


def _may_be_checkpoint(path: Path) -> bool:
    is_json = path.name.endswith((".json", ".json.gz")) and not path.name.startswith(".")
    return is_json and path.name != LATEST and path.is_file()


def _read_ends(path: Path) -> JsonObject | None:
    """The members before and after the results of a checkpoint that we have written, without reading the results."""
    if path.suffix == ".gz":
        return None
    try:
        with path.open("rb") as file:
            head = file.readline()
            file.seek(max(file.seek(0, 2) - TAIL_BYTES, 0))
            _, found, tail = file.read().rpartition(b"\n], ")
        if not found or not head.endswith(b'"results": [\n'):
            return None
        members: JsonObject = json.loads(head + b"]}")
        ends: JsonObject = json.loads(b"{" + tail)
        return members | ends
    except OSError as error:
        raise DamagedFile(error.strerror or str(error)) from None
    except (ValueError, RecursionError):
        return None


def _read_whole(path: Path) -> JsonObject:
    """All members of a JSON object, its results only counted, as `results_count`; empty when it is no object."""
    members: JsonObject = {}
    count = 0
    with _open_text(path) as source:
        if not _begins_with_brace(source):
            return {}
        for key, value in read_object(source, streamed="results"):
            if key == "results":
                count += 1
            else:
                members[key] = value
    return members | {"results_count": count}


def _begins_with_brace(source: TextIO) -> bool:
    try:
        beginning = source.read(1 << 10).lstrip()
        source.seek(0)
    except (UnicodeDecodeError, EOFError, OSError, zlib.error) as error:
        raise DamagedFile(str(error)) from None
    if not beginning:
        raise DamagedFile("it is empty")
    return beginning.startswith("{")


def _open_text(path: Path) -> TextIO:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", encoding="utf-8")
        return path.open(encoding="utf-8")
    except OSError as error:
        raise DamagedFile(error.strerror or str(error)) from None


def _read_time(value: JsonValue) -> datetime:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        raise DamagedFile(f"its timestamp is {value!r}") from None
