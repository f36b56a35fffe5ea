"""What an Inspect log says of a run as a whole: what was run, and what came of it.

Source: `EvalSpec`, `EvalPlan`, `EvalResults` and `EvalStats` of inspect-ai 0.3, log version 2.
"""

from dataclasses import dataclass, field
from hashlib import blake2b

from tasks.evaluation.exporting.inspect_samples import SCORER, add_counts
from tasks.evaluation.exporting.run_facts import (
    RunningMean,
    name_task,
    read_address,
    read_end,
    read_generator_settings,
    read_object,
    read_start,
)
from tasks.evaluation.json_lines import JsonObject, JsonValue
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting

LOG_VERSION = 2
# The settings that Inspect has a name of its own for, with what they are there.
SAMPLING = {"temperature": float, "max_tokens": int, "top_p": float, "seed": int, "reasoning_effort": str}


@dataclass
class Totals:
    """What the samples add up to."""

    questions: int = 0
    """The number of questions."""
    completed: int = 0
    """The number of samples without an error."""
    epochs: int = 1
    """The most samples that a question has."""
    scores: RunningMean = field(default_factory=RunningMean)
    """The scores of the questions that have one."""
    usage: JsonObject = field(default_factory=dict)
    """The token counts by model."""
    role_usage: JsonObject = field(default_factory=dict)
    """The token counts by role."""

    def add(self, record: JsonObject, samples: list[JsonObject]) -> None:
        """Take one more question into account."""
        self.questions += 1
        self.completed += sum("error" not in sample for sample in samples)
        self.epochs = max(self.epochs, len(samples))
        score = record.get("score")
        if not record.get("skipped") and isinstance(score, int | float):
            self.scores.add(score)
        for sample in samples:
            for sums, name in ((self.usage, "model_usage"), (self.role_usage, "role_usage")):
                for key, counts in read_object(sample, name).items():
                    sums[key] = add_counts(read_object(sums, key), counts if isinstance(counts, dict) else {})


def describe_evaluation(run: SavedRun, totals: Totals) -> JsonObject:
    """Return what was run, as Inspect's `EvalSpec`."""
    task, settings = name_task(run), read_generator_settings(run)
    identity = (
        run.provenance.evaluation_id or blake2b(f"{task} {run.model}".encode(errors="replace"), digest_size=16).hexdigest()
    )
    metrics: list[JsonValue] = [{"name": "inspect_ai/accuracy"}, {"name": "inspect_ai/stderr"}]
    return {
        "eval_id": identity,
        "run_id": run.provenance.run_id or identity,
        "created": read_start(run).isoformat(timespec="seconds"),
        "task": task,
        "task_id": identity,
        "dataset": {"name": task, "location": run.questions_file or None, "samples": totals.questions},
        "model": name_model(run),
        "model_generate_config": _describe_sampling(settings),
        "model_base_url": read_address(run),
        "config": {"epochs": totals.epochs, "epochs_reducer": ["mean"], "fail_on_error": False},
        "packages": {},
        "scorers": [{"name": SCORER, "metrics": metrics}],
        "metadata": {"mcqa_flow": {"results_file": run.path.name, "settings": run.config, **run.metadata}},
    }


def describe_plan(run: SavedRun) -> JsonObject:
    """Return how the questions were asked, as Inspect's `EvalPlan`."""
    prompt = read_setting(run.metadata, "evaluation_metadata", "prompt")
    params: JsonObject = {"prompt": prompt} if prompt else {}
    return {"name": "plan", "steps": [{"solver": "mcqa_flow", "params": params}], "config": {}}


def describe_outcome(run: SavedRun, totals: Totals) -> JsonObject:
    """Return the status, the results and the cost, as in Inspect's header; a run with questions left was cancelled."""
    is_whole = run.selected_count is None or totals.questions >= run.selected_count
    values = {"accuracy": totals.scores.mean, "stderr": totals.scores.standard_error}
    metrics: JsonObject = {
        name: {"name": name, "value": value, "params": {}} for name, value in values.items() if value is not None
    }
    score: JsonObject = {
        "name": SCORER,
        "scorer": SCORER,
        "reducer": "mean" if totals.epochs > 1 else None,
        "scored_samples": totals.scores.count,
        "unscored_samples": 0,
        "params": {},
        "metrics": metrics,
    }
    started = read_start(run).isoformat(timespec="seconds")
    return {
        "status": "success" if is_whole else "cancelled",
        "results": {
            "total_samples": totals.questions * totals.epochs,
            "completed_samples": totals.completed,
            "scores": [score] if metrics else [],
        },
        "stats": {
            "started_at": started,
            "completed_at": read_end(run).isoformat(timespec="seconds"),
            "model_usage": totals.usage,
            "role_usage": totals.role_usage,
        },
    }


def name_model(run: SavedRun) -> str:
    """Return the model's name; Inspect needs one."""
    return run.model or "unknown"


def _describe_sampling(settings: JsonObject) -> JsonObject:
    """Return the sampling settings that Inspect knows too, those of `extra` included."""
    given = {**settings, **read_object(settings, "extra")}
    return {name: given[name] for name, kind in SAMPLING.items() if isinstance(given.get(name), kind)}
