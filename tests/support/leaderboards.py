"""Cells of a suite made of a few records."""

from collections.abc import Sequence
from pathlib import Path

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.leaderboard.cells import CellResult
from tests.support.saved_runs import describe_run, save_checkpoint, save_results, score_all, scored


def make_cell(
    folder: Path,
    model: str,
    scores: Sequence[float] | Sequence[JsonObject],
    *,
    condition: str = "",
    questions: str = "exam.json",
    metadata: JsonObject | None = None,
) -> CellResult:
    """Write a cell's results, given the scores of questions 1, 2 and so on, or whole records."""
    records = [each for each in scores if isinstance(each, dict)] or score_all([s for s in scores if not isinstance(s, dict)])
    path = folder / f"{questions}_{model}_{condition}.json".replace("/", "_")
    described = describe_run(len(records), model=model) | (metadata or {})
    return CellResult(model, questions, condition, save_results(path, records, described), "")


def make_unfinished(
    folder: Path,
    model: str,
    scores: Sequence[float],
    selected: int,
    reason: str = "stopped",
    *,
    condition: str = "",
    questions: str = "exam.json",
    seconds: float = 1.0,
    metadata: JsonObject | None = None,
) -> CellResult:
    """Write the checkpoint of a cell that has these scores of `selected` questions; each answer took that many seconds."""
    records: list[JsonObject] = [
        scored(number, score, model_time_seconds=seconds) for number, score in enumerate(scores, start=1)
    ]
    path = folder / f"checkpoint_{questions}_{model}_{condition}.json".replace("/", "_")
    save_checkpoint(path, records, describe_run(selected, model=model) | (metadata or {}))
    return CellResult(model, questions, condition, None, reason, path)


def lack(model: str, reason: str, *, condition: str = "", questions: str = "exam.json") -> CellResult:
    """Return a cell without results."""
    return CellResult(model, questions, condition, None, reason)
