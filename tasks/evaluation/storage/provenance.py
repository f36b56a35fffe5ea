"""The provenance that only our own checkpoints record: the evaluation and the run that they come from.

It is stored under `metadata` as `mcqa_flow`. It is written and read only here, so that no key has two spellings.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

from tasks.evaluation.config.shards import Shard
from tasks.evaluation.json_lines import JsonObject, JsonValue

# The key of our part of `metadata`.
OURS = "mcqa_flow"


@dataclass(frozen=True)
class SavedSelection:
    """The questions that a run selected, and the file that holds them; a value is None if the checkpoint does not have it."""

    questions_file: str | None = None
    """The path, as in the settings."""
    file_count: int | None = None
    """The number of questions in the file."""
    selected_count: int | None = None
    """The number of questions selected."""
    random_selection: int | None = None
    """The size of the random sample; None: no sample was drawn."""
    random_seed: int | None = None
    """The seed that the sample was drawn with."""
    limit: int | None = None
    """The number of first questions that were kept; None: all."""
    digest: str | None = None
    """A digest of the selected questions and their references, in order."""
    findings: JsonObject = field(default_factory=dict)
    """The number of entries with each kind of finding."""
    shard: str | None = None
    """The part of the selection that was asked, such as `3/64`; None: the whole."""
    whole_count: int | None = None
    """The number of questions in the whole selection."""
    batch_size: int | None = None
    """The number of questions in each batch but the last."""

    @classmethod
    def read(cls, record: Mapping[str, JsonValue]) -> Self:
        """Return the selection that a checkpoint holds; a value of another type counts as missing."""
        findings = record.get("findings")
        return cls(
            questions_file=_read_text(record, "questions_file"),
            file_count=_read_number(record, "file_count"),
            selected_count=_read_number(record, "selected_count"),
            random_selection=_read_number(record, "random_selection"),
            random_seed=_read_number(record, "random_seed"),
            limit=_read_number(record, "limit"),
            digest=_read_text(record, "digest"),
            findings=findings if isinstance(findings, dict) else {},
            shard=read_shard(record),
            whole_count=_read_number(record, "whole_count"),
            batch_size=_read_number(record, "batch_size"),
        )

    def to_json(self) -> JsonObject:
        """Return the selection as checkpoints hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Provenance:
    """The origin of a checkpoint; all fields are empty for a checkpoint of the original script."""

    evaluation_id: str = ""
    """The id of the evaluation that it belongs to."""
    private_run_id: str = ""
    """The run that alone may use its answers; empty: any run may. In the file it is called `salt`."""
    run_id: str = ""
    """The id of the flow run that wrote it."""
    resumed_from: str = ""
    """The name of the checkpoint that its run was told to continue; empty if none."""
    selection: SavedSelection = SavedSelection()
    """The questions that its run selected."""
    settings: JsonObject = field(default_factory=dict)
    """The settings that decide what is reused."""
    run_name: str = ""
    """The run's name for people."""
    history_id: str = ""
    """Equal for runs that measure the same: the same questions, model, prompt, grader and settings, whoever may use their
    answers. Empty in a file of an earlier version."""
    reused_count: int = 0
    """The number of questions that were finished when the run began, by earlier runs."""
    started_at: str = ""
    """When the run began, with its offset from UTC. Empty in a file of an earlier version."""

    @classmethod
    def read(cls, metadata: Mapping[str, JsonValue]) -> Self:
        """Return the provenance in a checkpoint's metadata."""
        ours = _read_object(metadata, OURS)
        return cls(
            evaluation_id=_read_text(ours, "evaluation_id") or "",
            private_run_id=_read_text(ours, "salt") or "",
            run_id=_read_text(ours, "run_id") or "",
            resumed_from=_read_text(ours, "resumed_from") or "",
            selection=SavedSelection.read(_read_object(ours, "selection")),
            settings=_read_object(ours, "settings"),
            run_name=_read_text(ours, "run_name") or "",
            history_id=_read_text(ours, "history_id") or "",
            reused_count=_read_number(ours, "reused_count") or 0,
            started_at=_read_text(ours, "started_at") or "",
        )

    def to_metadata(self) -> JsonObject:
        """Return our part of a checkpoint's metadata, under its key."""
        ours: JsonObject = {
            "evaluation_id": self.evaluation_id,
            "salt": self.private_run_id,
            "run_id": self.run_id,
            "resumed_from": self.resumed_from or None,
            "selection": self.selection.to_json(),
            "settings": self.settings,
            "run_name": self.run_name,
            "history_id": self.history_id,
            "reused_count": self.reused_count,
            "started_at": self.started_at or None,
        }
        return {OURS: ours}


def read_shard(record: Mapping[str, JsonValue]) -> str | None:
    """Return the shard that the record names; None if it names none, or something else."""
    try:
        return str(Shard.read(str(record.get("shard") or "")))
    except ValueError:
        return None


def _read_object(record: Mapping[str, JsonValue], key: str) -> JsonObject:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _read_text(record: Mapping[str, JsonValue], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) else None


def _read_number(record: Mapping[str, JsonValue], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
