"""Names of flow runs: what the user typed, else what the run scores, and when it was to begin.

Prefect gives every run a name. If nobody typed one, it is made up (`flows/opening/made_up_names.py`), and ours says more.
"""

from datetime import datetime
from pathlib import Path

from prefect.context import FlowRunContext

from flows.opening.made_up_names import is_made_up
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.errors import UserMistake


def name_flow_run() -> str:
    """Return the run's name: the one that was typed, else one that is made for it; a retry or resume keeps the name."""
    context = FlowRunContext.get()
    assert context
    assert context.flow_run, "Prefect asks for the name of a run that it has created"
    run = context.flow_run
    if run.run_count or not is_made_up(run.name):
        return run.name
    parameters = context.parameters or {}
    changes = parameters.get("overrides") or {}, parameters.get("advanced") or {}
    label = describe(parameters.get("config_file") or None, *changes)
    planned = run.expected_start_time or datetime.now().astimezone()
    return f"{label} {planned.astimezone():%Y-%m-%d %H:%M}"


def describe(config_file: str | None, overrides: object, advanced: object) -> str:
    """Return what a run with these parameters scores: question file and model, as far as the settings can be read."""
    try:
        changes = Overrides.model_validate(overrides).combine(Advanced.model_validate(advanced))
        config = load_config(config_file, changes)
    except (UserMistake, ValueError):
        return f"score {config_file or 'questions'}"
    of_part = f" shard {config.processing.shard}" if config.processing.shard else ""
    return f"{Path(config.questions_file).stem} {config.model.generator_settings.model}{of_part}"
