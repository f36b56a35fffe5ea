"""The checkpoint: the documented JSON file that holds every finished question of a run.

Format, one JSON object, UTF-8, its keys in this order:

    {"timestamp": "2026-11-23T14:30:22.123456", "completed_count": 2, "completed_indices": [1, 2], "results": [
    {"question_id":2,…},
    {"question_id":1,…}
    ], "metadata": {…}, "config": {…}, "version": "2.0"}

`timestamp` is local time. `results` are in the order of completion, one per line; `question_id` and `completed_indices` count
the selection from 1; completed_count == len(results) == len(completed_indices). `config` has the shape of the YAML file, with
secrets masked. What only our own checkpoints hold is under `metadata` (`provenance`).

Tail rule: the last line that begins with `], ` ends the results. A file that ends earlier, does not parse or contradicts its
own counts is damaged, and nothing in it is used. Checkpoints of the original script, whose keys may be in any order and on any
line, are read from beginning to end.

`checkpoint_writer` writes the file, `checkpoint_reader` reads it; both take its bytes and its keys from here.
"""

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.storage.provenance import Provenance

VERSION = "2.0"
# The link to the newest file in the checkpoint directory.
LATEST = "latest.json"
# The beginning of every checkpoint's name.
NAME_PREFIX = "checkpoint_"

# How many numbers are made into Python's, and into text, at once: those of a million questions would take 80 MB.
LISTED_AT_ONCE = 10_000

RESULTS_KEY = "results"
# The key under which the reader adds the number of results after reading a whole file; no file holds it.
RESULTS_COUNT_KEY = "results_count"
RESULTS_BEGIN = b'"results": [\n'
RESULTS_END = b"\n], "


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint without its results."""

    path: Path
    """The file."""
    timestamp: datetime
    """When it was written, in local time."""
    completed_count: int
    """The number of results that it claims to hold."""
    metadata: JsonObject
    """Its `metadata`; empty if it has none."""
    config: JsonObject
    """Its `config`, in the shape of the YAML file."""
    provenance: Provenance
    """The evaluation and the run that it comes from."""

    @property
    def evaluation_id(self) -> str:
        """Return the id of the evaluation that it belongs to; empty for a checkpoint of the original script."""
        return self.provenance.evaluation_id


def build_head(now: datetime, numbers: "array[int]") -> bytes:
    """Return everything before the first result.

    Args:
        now: the time of the save.
        numbers: the numbers of the finished questions, in order.
    """
    members = {"timestamp": now.isoformat(timespec="microseconds"), "completed_count": len(numbers)}
    blocks = range(0, len(numbers), LISTED_AT_ONCE)
    listed = ", ".join(json.dumps(numbers[at : at + LISTED_AT_ONCE].tolist())[1:-1] for at in blocks)
    return json.dumps(members).encode().removesuffix(b"}") + f', "completed_indices": [{listed}], '.encode() + RESULTS_BEGIN


def build_tail(metadata: JsonObject, config: JsonObject) -> bytes:
    """Return everything after the last result."""
    members = {"metadata": metadata, "config": config, "version": VERSION}
    return RESULTS_END + json.dumps(members, ensure_ascii=False).encode().removeprefix(b"{") + b"\n"


def parse_ends(first_line: bytes, last_bytes: bytes) -> JsonObject | None:
    """Return the members around the results, given the file's first line and its last bytes.

    None if these are not what `build_head` and `build_tail` write.
    """
    _, found, tail = last_bytes.rpartition(RESULTS_END)
    if not found or not first_line.endswith(RESULTS_BEGIN):
        return None
    try:
        head_members: JsonObject = json.loads(first_line + b"]}")
        tail_members: JsonObject = json.loads(b"{" + tail)
    except (ValueError, RecursionError):
        return None
    return head_members | tail_members


def parse_members(path: Path, members: Mapping[str, JsonValue]) -> Checkpoint | None:
    """Return the checkpoint with these members; None if they are not those of a checkpoint.

    Raises:
        DamagedFile: they contradict each other.
    """
    if "completed_indices" not in members or "config" not in members:
        return None
    count, indices = members.get("completed_count"), members["completed_indices"]
    if not isinstance(indices, list) or count != len(indices) or count != members.get(RESULTS_COUNT_KEY, count):
        listed = f"{len(indices)} completed_indices" if isinstance(indices, list) else "no list of completed_indices"
        held = members.get(RESULTS_COUNT_KEY, "as many")
        raise DamagedFile(f"completed_count is {count}, but it has {listed} and {held} results")
    metadata, config = (value if isinstance(value := members.get(key), dict) else {} for key in ("metadata", "config"))
    return Checkpoint(
        path=path,
        timestamp=_parse_time(members.get("timestamp")),
        completed_count=len(indices),
        metadata=metadata,
        config=config,
        provenance=Provenance.read(metadata),
    )


def parse_indices(members: Mapping[str, JsonValue]) -> set[int]:
    """Return the numbers of the questions that a checkpoint claims to hold."""
    indices = members.get("completed_indices")
    return {index for index in indices if isinstance(index, int)} if isinstance(indices, list) else set()


def _parse_time(value: JsonValue) -> datetime:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        raise DamagedFile(f"its timestamp is {value!r}") from None
