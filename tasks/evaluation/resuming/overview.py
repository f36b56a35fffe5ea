"""Summaries of checkpoints, ours and the original script's: model, questions, progress, state and accuracy so far."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.statistics.accuracy import Accuracy, is_score, measure_scores, parse_interval
from tasks.evaluation.storage.checkpoint import Checkpoint
from tasks.evaluation.storage.checkpoint_folder import read_latest_name
from tasks.evaluation.storage.checkpoint_reader import is_failed_request, read_results
from tasks.evaluation.storage.layout import LOCKS_FOLDER, OWN_FOLDER
from tasks.evaluation.storage.locks import find_running

# `unknown`: the file does not say how many questions were selected; most of the original script's do not.
State = Literal["running", "finished", "unfinished", "unknown"]


@dataclass(frozen=True)
class Overview:
    """The facts of one checkpoint, without its results.

    `evaluation_id` is empty for a checkpoint of the original script. `selected_count` is None if the file does not hold it.
    `state` is `running` for the newest checkpoint of an evaluation that a process is working on.
    """

    file: str
    time: str
    model: str
    questions_file: str
    completed_count: int
    selected_count: int | None
    state: State
    is_latest: bool
    size_bytes: int
    grader: str | None
    random_selection: int | None
    random_seed: int | None
    limit: int | None
    shard: str | None
    evaluation_id: str

    @property
    def progress(self) -> str:
        """Return the numbers of finished and of selected questions, with the percentage."""
        if not self.selected_count:
            return f"{self.completed_count:,}/?"
        return f"{self.completed_count:,}/{self.selected_count:,} ({self.completed_count / self.selected_count:.1%})"

    @property
    def sample(self) -> str:
        """Return in words which of the file's questions were selected."""
        parts = [f"{self.random_selection:,} drawn with seed {self.random_seed}"] if self.random_selection else []
        parts += [f"the first {self.limit:,}"] if self.limit else []
        parts += [f"shard {self.shard}"] if self.shard else []
        return ", of these ".join(parts) or "all"

    def to_json(self) -> JsonObject:
        """Return the same facts as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Tally:
    """The accuracy of a checkpoint so far, and the numbers of questions without a score.

    `refused` counts the questions that the endpoint refused, `unusable` the entries that cannot be asked; each has its reason
    in its record. The original script does not tell them apart, so its checkpoints have both under `refused`. `failed` counts
    the failed requests that the original script stored as if they were answers; they are asked again.
    """

    accuracy: Accuracy | None
    refused: int
    unusable: int
    failed: int

    def to_json(self) -> JsonObject:
        """Return the same numbers as JSON."""
        return {
            "scored": self.accuracy.count if self.accuracy else 0,
            "accuracy": self.accuracy.accuracy if self.accuracy else None,
            "standard_error": self.accuracy.standard_error if self.accuracy else None,
            "refused": self.refused,
            "unusable": self.unusable,
            "failed": self.failed,
        }


def list_running(folder: Path) -> set[str]:
    """Return the ids of the evaluations that some process is working on in this checkpoint directory."""
    return find_running(folder / OWN_FOLDER / LOCKS_FOLDER)


def describe_all(folder: Path, checkpoints: Sequence[Checkpoint]) -> Iterator[Overview]:
    """Yield an overview of each checkpoint; they must be given newest first."""
    running, latest = list_running(folder), read_latest_name(folder)
    for checkpoint in checkpoints:
        is_running = checkpoint.evaluation_id in running
        running.discard(checkpoint.evaluation_id)
        with suppress(FileNotFoundError):  # removed in the meantime
            yield _describe(checkpoint, is_running=is_running, is_latest=checkpoint.path.name == latest)


def tally(checkpoint: Checkpoint) -> Tally:
    """Return the checkpoint's tally, from its own statistics or else from its results.

    Raises:
        DamagedFile: its results had to be read, and end early or do not parse.
    """
    return _read_statistics(checkpoint) or _count_results(checkpoint)


def _describe(checkpoint: Checkpoint, *, is_running: bool, is_latest: bool) -> Overview:
    config, metadata, selection = checkpoint.config, checkpoint.metadata, checkpoint.provenance.selection
    counted = _find(metadata, "evaluation_metadata", "question_statistics", "selected_questions")
    selected = selection.selected_count or _as_number(counted)
    grader = _find(config, "model", "grader_shortname")
    return Overview(
        file=str(checkpoint.path),
        time=checkpoint.timestamp.isoformat(timespec="seconds"),
        model=str(_find(config, "model", "generator_settings", "model") or "?"),
        questions_file=str(config.get("questions_file") or "?"),
        completed_count=checkpoint.completed_count,
        selected_count=selected,
        state="running" if is_running else _name_state(checkpoint.completed_count, selected),
        is_latest=is_latest,
        size_bytes=checkpoint.path.stat().st_size,
        grader=str(grader) if grader else None,
        random_selection=selection.random_selection or _as_number(_find(config, "processing", "random_selection")),
        random_seed=selection.random_seed or _as_number(_find(config, "processing", "random_seed")),
        limit=selection.limit or _as_number(_find(config, "processing", "limit")),
        shard=selection.shard,
        evaluation_id=checkpoint.evaluation_id,
    )


def _name_state(completed: int, selected: int | None) -> State:
    if not selected:
        return "unknown"
    return "finished" if completed >= selected else "unfinished"


def _read_statistics(checkpoint: Checkpoint) -> Tally | None:
    """Return the numbers that the file itself states, as ours do; None if they are missing or cannot fit its results."""
    scored, mean, error, refused, unusable, interval, method = (
        _find(checkpoint.metadata, "statistics", name)
        for name in ("scored", "accuracy", "standard_error", "refused", "unusable", "interval", "interval_method")
    )
    if not isinstance(scored, int) or not isinstance(refused, int) or not isinstance(unusable, int):
        return None
    if not all(0 <= count <= checkpoint.completed_count for count in (scored, refused, unusable)):
        return None
    accuracy = None
    if is_score(mean):
        error = error if is_score(error) else None
        accuracy = Accuracy(scored, round(mean * scored, 6), mean, error, parse_interval(interval, method))
    return Tally(accuracy, refused, unusable, failed=0)


def _count_results(checkpoint: Checkpoint) -> Tally:
    scores: list[float] = []
    refused = failed = 0
    for result in read_results(checkpoint.path):
        score = result.get("score")
        if result.get("skipped"):
            refused += 1
        elif is_failed_request(result):
            failed += 1
        elif is_score(score):
            scores.append(score)
    return Tally(measure_scores(scores), refused, unusable=0, failed=failed)


def _find(value: JsonValue, *keys: str) -> JsonValue:
    """Return the value under these keys; None if there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _as_number(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
