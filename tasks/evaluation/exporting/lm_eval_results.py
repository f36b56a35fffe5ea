"""The results document of lm-evaluation-harness: one task, its accuracy, and what was run.

Source: `result_schema.py` of lm-eval 0.4.13.
"""

import hashlib
from dataclasses import dataclass, field

from tasks.evaluation.exporting.run_facts import RunningMean, read_address, read_generator_settings, read_start
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.saved_runs import SavedRun, read_setting

# How lm-eval itself asks a model behind such an address.
MODEL_TYPE = "local-chat-completions"
SHARED_MEMBERS = ("system_instruction", "system_instruction_sha", "fewshot_as_multiturn", "chat_template", "chat_template_sha")


@dataclass
class Tally:
    """What the samples add up to."""

    scores: RunningMean = field(default_factory=RunningMean)
    """The scores."""
    repeats: int = 1
    """The most answers that a question has."""
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    """Of all samples' hashes, by which lm-eval recognizes a task."""

    def add(self, sample: JsonObject, repeats: int) -> None:
        """Take one more sample into account."""
        score = sample["acc"]
        assert isinstance(score, int | float)
        self.scores.add(score)
        self.repeats = max(self.repeats, repeats)
        self.digest.update("".join(str(sample[name]) for name in ("doc_hash", "prompt_hash", "target_hash")).encode())


def describe_results(run: SavedRun, task: str, model_folder: str, tally: Tally) -> JsonObject:
    """Return the document.

    Args:
        run: the run.
        task: the task's name.
        model_folder: the model's name as folders have it.
        tally: of all samples.
    """
    count, error = tally.scores.count, tally.scores.standard_error
    return {
        "results": {
            task: {
                "alias": task,
                "acc,none": tally.scores.mean,
                "acc_stderr,none": "N/A" if error is None else error,
                "sample_len": count,
            }
        },
        "group_subtasks": {task: []},
        "configs": {task: _describe_task(run, task, tally)},
        "versions": {task: 0},
        "n-shot": {task: 0},
        "higher_is_better": {task: {"acc": True}},
        "n-samples": {task: {"original": run.selected_count or count, "effective": count}},
        "config": _describe_settings(run),
        "git_hash": None,
        "date": read_start(run).timestamp(),
        "task_hashes": {task: tally.digest.hexdigest()},
        "model_source": MODEL_TYPE,
        "model_name": run.model,
        "model_name_sanitized": model_folder,
        **dict.fromkeys(SHARED_MEMBERS),
        "total_evaluation_time_seconds": None,
    }


def _describe_settings(run: SavedRun) -> JsonObject:
    settings = read_generator_settings(run)
    base_url = read_address(run)
    return {
        "model": MODEL_TYPE,
        "model_args": f"model={run.model}" + (f",base_url={base_url}" if base_url else ""),
        "limit": read_setting(run.config, "processing", "limit"),
        "gen_kwargs": {name: settings[name] for name in ("temperature", "max_tokens", "extra") if settings.get(name)},
        "random_seed": read_setting(run.config, "processing", "random_seed"),
    }


def _describe_task(run: SavedRun, task: str, tally: Tally) -> JsonObject:
    return {
        "task": task,
        "dataset_path": run.questions_file,
        "output_type": "generate_until",
        "num_fewshot": 0,
        "repeats": tally.repeats,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 0, "written_by": "mcqa-flow"},
    }
