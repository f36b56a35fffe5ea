"""The runs whose results lie in a folder, each read from the first line of its file alone.

A results file may have hundreds of megabytes. Its first line holds everything that a list of runs shows, and its last bytes
show that the file is whole.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.results_head import parse_results_head
from tasks.evaluation.reporting.saved_runs import LONGEST_HEAD_BYTES, SavedRun, read_setting, read_stamp
from tasks.evaluation.statistics.accuracy import is_score
from tasks.evaluation.storage.file_names import sanitize_filename
from tasks.evaluation.storage.provenance import Provenance, SavedSelection

BEGIN, END = b'{"metadata": ', b"\n]}\n"
# A suite's leaderboard, a comparison or a history as JSON: nobody looks for a run in them.
REPORTS = (b'{\n  "boards": [', b'{\n  "runs": [')
# Of ours, and of the original scorer, which indents.
CHECKPOINTS = (b'{"timestamp": ', b'{\n  "timestamp": ')
DAMAGED = "damaged"
CHECKPOINT = "a checkpoint"
FOREIGN = "not a results file as mcqa-flow writes it"
EARLIER = "of an earlier version, which did not record what its runs measure"


@dataclass(frozen=True)
class PastRun:
    """What the head of a results file says of its run."""

    saved: SavedRun
    """The run, whose records can be read."""
    time: datetime
    """When it began, in the time zone of its machine; of an earlier version's file, in that of this machine."""
    accuracy: float | None
    """Its accuracy; None if nothing was scored."""
    interval: tuple[float, float] | None
    """The accuracy's 95 % interval; None if the scores are too few for one."""
    scored: int
    """The number of questions with a score."""
    refused: int
    """The number of questions that the endpoint refused."""
    unscored: int
    """The number of questions that the run left unfinished."""

    @property
    def history_id(self) -> str:
        """Return what the run shares with all that measure the same."""
        return self.saved.provenance.history_id

    @property
    def run_id(self) -> str:
        """Return the id of the flow run."""
        return self.saved.provenance.run_id

    @property
    def is_limited(self) -> bool:
        """Return True if `limit` has cut the selection short, as for a trial."""
        chosen = self.saved.provenance.selection
        whole = chosen.random_selection or chosen.file_count
        return chosen.limit is not None and (whole is None or (chosen.selected_count or 0) < whole)


@dataclass(frozen=True)
class LeftOut:
    """A file that is no run of a history."""

    name: str
    """The file's name."""
    reason: str
    """Why it is left out."""


def find_past_runs(folder: Path) -> tuple[list[PastRun], list[LeftOut]]:
    """Return the runs whose results files lie in the folder, the oldest first, and the other JSON files with the reason.

    Files of wrong answers and reports of ours are passed over: they hold no whole run. Of two files with the same run, the
    first by name is taken.

    Raises:
        UserMistake: there is no such folder, or it cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith("."))
    except OSError as error:
        raise UserMistake(f"cannot read the folder {folder}: {error.strerror or error}") from None
    found: dict[tuple[str, datetime], PastRun] = {}
    left_out = []
    for path in paths:
        run = read_past_run(path)
        if isinstance(run, LeftOut):
            left_out.append(run)
        elif run and found.setdefault((run.run_id, run.time), run) is not run:
            left_out.append(LeftOut(path.name, f"a copy of {found[run.run_id, run.time].saved.path.name}"))
    return sorted(found.values(), key=lambda run: (run.time, run.saved.path.name)), left_out


def read_past_run(path: Path) -> PastRun | LeftOut | None:
    """Return the run in the results file, or why it is left out; None for a file of wrong answers, or a report of ours."""
    try:
        metadata = _read_head(path) if path.is_file() else FOREIGN  # to open a named pipe would wait for its writer
    except OSError as error:
        return LeftOut(path.name, error.strerror or str(error))
    if metadata is None:
        return None
    if isinstance(metadata, str):
        return LeftOut(path.name, metadata)
    provenance, statistics = Provenance.read(metadata), _as_object(metadata.get("statistics"))
    config = _as_object(read_setting(metadata, "evaluation_metadata", "configuration"))
    time = _read_time(provenance.started_at) or _read_time(read_setting(metadata, "evaluation_metadata", "timestamp"))
    if not provenance.history_id or time is None:
        return LeftOut(path.name, EARLIER if provenance.evaluation_id else FOREIGN)
    saved = SavedRun(path.stem, path, metadata, config, provenance, read_stamp(path))
    if _is_of_wrong_answers(saved):
        return None
    accuracy = statistics.get("accuracy")
    return PastRun(
        saved=saved,
        time=time,
        accuracy=accuracy if is_score(accuracy) else None,
        interval=_read_interval(statistics.get("interval")),
        scored=_read_count(statistics, "scored"),
        refused=_read_count(statistics, "refused"),
        unscored=_read_count(statistics, "unscored"),
    )


def name_selection(selection: SavedSelection) -> str:
    """Return the name of the file that the questions come from."""
    return Path(selection.questions_file or "").name


def _read_head(path: Path) -> JsonObject | str | None:
    """Return the metadata in the file's first line, or why it has no such line; None for a report of ours."""
    with path.open("rb") as file:
        begin = file.read(max(map(len, (BEGIN, *REPORTS, *CHECKPOINTS))))
        if begin.startswith(REPORTS):
            return None
        if not begin.startswith(BEGIN):
            return CHECKPOINT if begin.startswith(CHECKPOINTS) else FOREIGN
        file.seek(0)
        line = file.readline(LONGEST_HEAD_BYTES)
        metadata = parse_results_head(line)
        file.seek(-min(len(END), os.fstat(file.fileno()).st_size), os.SEEK_END)
        is_whole = file.read() == END
    if metadata is None:
        return DAMAGED if len(line) < LONGEST_HEAD_BYTES and not is_whole else FOREIGN
    return metadata if is_whole else DAMAGED


def _is_of_wrong_answers(saved: SavedRun) -> bool:
    """Return True if the file has the name that a run gives its file of wrong answers."""
    prefix = read_setting(saved.config, "output", "output_prefix")
    beginning = f"{sanitize_filename(str(prefix))}_incorrect_{sanitize_filename(saved.model)}_"
    return isinstance(prefix, str) and saved.path.name.startswith(beginning)


def _read_time(value: JsonValue) -> datetime | None:
    """Return the time with a time zone, so that the times of all machines have one order."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        return time if time is None or time.tzinfo else time.astimezone()
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None


def _read_interval(value: JsonValue) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = value
    return (low, high) if is_score(low) and is_score(high) else None


def _read_count(statistics: Mapping[str, JsonValue], name: str) -> int:
    value = statistics.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _as_object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
