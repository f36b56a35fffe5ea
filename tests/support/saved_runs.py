"""Writes runs' files by hand, in every form that is read again."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from tasks.evaluation.json_lines import JsonObject, JsonValue

MODEL = "some-model"


def scored(number: int, score: float, question: str = "", *, reference: str = "A", **members: JsonValue) -> JsonObject:
    """Return the record of a scored question; its text is made from its number unless it is given."""
    return {
        "question_id": number,
        "question": question or f"Question {number}?\nA) one\nB) two\nC) three\nD) four",
        "reference_answer": reference,
        "model_answer": f"The answer is {reference if score == 1 else 'B'}.",
        "evaluation": {"reference_choice": reference, "model_choice": "A", "score": score, "reasoning": "", "format": "mc"},
        "score": score,
        "format": "mc",
        "skipped": False,
        **members,
    }


def score_all(scores: Sequence[float], first: int = 1) -> list[JsonObject]:
    """Return the records of questions numbered from `first` with these scores."""
    return [scored(number, score) for number, score in enumerate(scores, start=first)]


def refused(number: int) -> JsonObject:
    """Return the record of a question that the endpoint refused."""
    return {"question_id": number, "question": f"Question {number}?", "error": "no", "skipped": True, "answer_id": f"a{number}"}


def unusable(number: int) -> JsonObject:
    """Return the record of an entry that cannot be asked."""
    return {"question_id": number, "error": "Missing question or answer", "skipped": True}


def describe_run(
    selected: int,
    *,
    model: str = MODEL,
    settings: JsonObject | None = None,
    statistics: JsonObject | None = None,
    evaluation: JsonObject | None = None,
    **selection: JsonValue,
) -> JsonObject:
    """Return the metadata of a run of ours.

    Args:
        selected: the number of questions selected.
        model: the model's name.
        settings: the settings that decide what is reused, beside the usual ones.
        statistics: the statistics in the metadata.
        evaluation: members of `evaluation_metadata` beside the settings.
        selection: members of the recorded selection beside the usual ones.
    """
    config: JsonObject = {"questions_file": "exam.json", "model": {"generator_settings": {"model": model}}, "grading": "auto"}
    config |= settings or {}
    return {
        "evaluation_metadata": {"configuration": config, **(evaluation or {})},
        "statistics": statistics or {},
        "mcqa_flow": {
            "evaluation_id": "e1",
            "selection": {"questions_file": "exam.json", "selected_count": selected, **selection},
            "settings": settings or {},
        },
    }


def save_results(path: Path, records: Sequence[JsonObject], metadata: JsonObject | None = None) -> Path:
    """Write a results file of ours, one record on a line; compressed if its name ends in .gz."""
    metadata = describe_run(len(records)) if metadata is None else metadata
    text = f'{{"metadata": {json.dumps(metadata)}, "results": [\n' + ",\n".join(map(json.dumps, records)) + "\n]}\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def save_checkpoint(path: Path, records: Sequence[JsonObject], metadata: JsonObject) -> Path:
    """Write a checkpoint of ours."""
    members = {"timestamp": "2026-11-26T09:00:00", "completed_count": len(records), "completed_indices": []}
    evaluation = metadata["evaluation_metadata"]
    assert isinstance(evaluation, dict)
    tail = {"metadata": metadata, "config": evaluation["configuration"], "version": "2.0"}
    path.write_text(json.dumps({**members, "results": records, **tail}))
    return path


def save_original(path: Path, records: Sequence[JsonObject], *, model: str = MODEL) -> Path:
    """Write a checkpoint in the original scorer's form: indented, and without what only ours record."""
    config = {"questions_file": "exam.json", "model": {"generator_settings": {"model": model}}}
    members = {"completed_indices": [record["question_id"] for record in records], "results": records, "config": config}
    path.write_text(json.dumps({"timestamp": "2025-11-26T09:00:00", **members, "metadata": {}, "version": "2.0"}, indent=2))
    return path
