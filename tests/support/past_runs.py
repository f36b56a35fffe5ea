"""Writes the results files of a series of runs that measure the same."""

from collections.abc import Sequence
from pathlib import Path

from tasks.evaluation.json_lines import JsonObject, JsonValue
from tests.support.saved_runs import MODEL, refused, save_results, score_all

PREFIX = "results"


def save_past_run(folder: Path, day: int, scores: Sequence[float], *, refused_count: int = 0, **ours: JsonValue) -> Path:
    """Write the results of the run of this day in November, with scores for questions 1 to n; return the file's path.

    Args:
        folder: where to.
        day: the day of the month.
        scores: the scores.
        refused_count: the number of refused questions after these.
        ours: `model`, `questions_file`, `unscored`, `cluster_by`, members of the selection, or of our part of the metadata.
    """
    model, questions = str(ours.pop("model", MODEL)), str(ours.pop("questions_file", "exam.json"))
    unscored = ours.pop("unscored", 0)
    assert isinstance(unscored, int)
    count = len(scores) + refused_count + unscored
    limit, clusters = ours.pop("limit", None), ours.pop("cluster_by", None)
    config: JsonObject = {
        "questions_file": questions,
        "model": {"generator_settings": {"model": model}},
        "fields": {"cluster_by": clusters},
        "output": {"output_prefix": PREFIX},
    }
    statistics: JsonObject = {
        "scored": len(scores),
        "accuracy": sum(scores) / len(scores) if scores else None,
        "interval": [0.25, 0.75] if scores else None,
        "interval_method": "wilson" if scores else None,
        "refused": refused_count,
        "unscored": unscored,
    }
    selection: JsonObject = {"questions_file": questions, "file_count": 100, "selected_count": count, "limit": limit}
    metadata: JsonObject = {
        "evaluation_metadata": {"configuration": config, "timestamp": f"2026-11-{day:02}T02:00:00"},
        "statistics": statistics,
        "mcqa_flow": {
            "evaluation_id": f"e{day}",
            "history_id": "h1",
            "run_id": f"run-{day}",
            "salt": f"run-{day}",
            "run_name": f"exam {model} 2026-11-{day:02}",
            "selection": selection,
            "settings": {"model": model},
            **ours,
        },
    }
    records = [*score_all(scores), *(refused(len(scores) + 1 + number) for number in range(refused_count))]
    if clusters:
        records = [{**record, "fields": {str(clusters): f"passage {place // 10}"}} for place, record in enumerate(records)]
    return save_results(folder / f"{PREFIX}_{model}_202611{day:02}_020000.json", records, metadata)
