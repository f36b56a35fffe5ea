"""A run as its file holds it: a results file or a checkpoint of ours, or of the original scorer.

Whoever reads results again begins here. A file says of itself what was run; its records are read one at a time, so that a file
of any size can be read in bounded memory.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.evaluation.errors import DamagedFile, UserMistake
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.results_head import parse_results_head
from tasks.evaluation.scoring.records import is_sound_result
from tasks.evaluation.storage.checkpoint import RESULTS_COUNT_KEY
from tasks.evaluation.storage.checkpoint_reader import is_failed_request, read_members, read_results
from tasks.evaluation.storage.provenance import Provenance

# The device, the number and the size of a file, and when it was last written: equal as long as it is the same file.
FileStamp = tuple[int, int, int, int]
# A results file's metadata may list a thousand groups; a whole document on one line is longer.
LONGEST_HEAD_BYTES = 1 << 24


@dataclass(frozen=True)
class SavedRun:
    """A run without its records."""

    name: str
    """What it is called beside others."""
    path: Path
    """Its file."""
    metadata: JsonObject
    """The file's `metadata`; empty if it has none."""
    config: JsonObject
    """The settings, in the shape of the YAML file."""
    provenance: Provenance
    """What only our own files record."""
    stamp: FileStamp | None = None
    """The file that was opened, so that another one in its place is noticed; None: whatever is there is read."""

    @property
    def is_original(self) -> bool:
        """Return True if the original scorer wrote the file."""
        return not self.provenance.evaluation_id

    @property
    def model(self) -> str:
        """Return the model's name; empty if the file does not name it."""
        return str(read_setting(self.config, "model", "generator_settings", "model") or "")

    @property
    def questions_file(self) -> str:
        """Return the path of the questions file, as in the settings; empty if the file does not name it."""
        return str(self.provenance.selection.questions_file or read_setting(self.config, "questions_file") or "")

    @property
    def selected_count(self) -> int | None:
        """Return the number of questions selected; None if the file does not say."""
        counts = self.metadata.get("evaluation_metadata")
        recorded = read_setting(counts, "question_statistics", "selected_questions") if isinstance(counts, dict) else None
        return self.provenance.selection.selected_count or (recorded if isinstance(recorded, int) else None)

    def read_records(self) -> Iterator[JsonObject]:
        """Yield the records, in the file's order: scored ones, and those that were skipped for a stated reason.

        An answer of the original scorer that is an error is yielded as a skipped record: a failed request is no answer.

        Raises:
            UserMistake: the file is damaged, or another one than was opened; some records may have been yielded before.
        """
        self._require_same_file()
        try:
            for record in read_results(self.path):
                if self.is_original and is_failed_request(record):
                    yield {**record, "skipped": True, "error": record["model_answer"], "score": None}
                elif is_sound_result(record):
                    yield record
        except DamagedFile as error:
            self._require_same_file()
            raise UserMistake(f"cannot read {self.path}: {error}") from None
        self._require_same_file()

    def _require_same_file(self) -> None:
        if self.stamp is not None and read_stamp(self.path) != self.stamp:
            raise UserMistake(
                f"{self.path} has changed while it was read, as the checkpoint of a run that goes on does with each save: try "
                "again, or take a copy of it or the results of a run that has ended"
            )


def open_saved_run(path: Path, name: str = "") -> SavedRun:
    """Return the run in a results file or a checkpoint, also in one of the original scorer.

    Args:
        path: the file, `.json` or `.json.gz`.
        name: what it is called beside others; empty: its model, else its file's name.

    Raises:
        UserMistake: the file does not exist, is damaged, or is neither of these.
    """
    stamp = read_stamp(path)
    try:
        members = _read_head(path) or read_members(path)
    except DamagedFile as error:
        raise UserMistake(f"cannot read {path}: {error}") from None
    if not members.get(RESULTS_COUNT_KEY) and "completed_indices" not in members:
        raise UserMistake(f"cannot read {path}: it holds no results, so it is neither a results file nor a checkpoint")
    metadata = _as_object(members.get("metadata"))
    recorded = _as_object(read_setting(metadata, "evaluation_metadata", "configuration"))
    run = SavedRun(name, path, metadata, _as_object(members.get("config")) or recorded, Provenance.read(metadata), stamp)
    return run if name else replace(run, name=run.model or path.stem)


def read_stamp(path: Path) -> FileStamp | None:
    """Return what tells the file from any other and from its own later self; None if there is no file."""
    with suppress(OSError):
        found = path.stat()  # through links: `latest.json` may lead elsewhere later
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
    return None


def read_setting(settings: Mapping[str, JsonValue], *keys: str) -> JsonValue:
    """Return the value that the keys lead to; None if they lead nowhere."""
    value: JsonValue = dict(settings)
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _read_head(path: Path) -> JsonObject | None:
    """Return what the first line of a results file of ours says of it; None for any other file."""
    if path.suffix == ".gz":
        return None
    try:
        with path.open("rb") as file:
            metadata = parse_results_head(file.readline(LONGEST_HEAD_BYTES))
            is_empty = file.readline().startswith(b"]")
    except OSError as error:
        raise DamagedFile(error.strerror or str(error)) from None
    return None if metadata is None else {"metadata": metadata, RESULTS_COUNT_KEY: 0 if is_empty else 1}


def _as_object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
