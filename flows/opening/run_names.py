"""Names of flow runs: what the user typed, else what the run scores, and when it was to begin.

Prefect gives every run a name. If nobody typed one, it is made up (`flows/opening/made_up_names.py`), and ours says more.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from prefect.context import FlowRunContext

from flows.opening.made_up_names import is_made_up
from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.config.suite_cells import split_address
from tasks.evaluation.errors import UserMistake


def name_flow_run() -> str:
    """Return the run's name: the one that was typed, else one that is made for it; a retry or resume keeps the name."""
    return _choose_name(_describe_parameters)


def name_suite_run() -> str:
    """Return the name of the run of a suite, in the same way."""
    return _choose_name(lambda parameters: describe_suite(str(parameters.get("suite_file") or "")))


def describe_suite(suite_file: str) -> str:
    """Return the suite's name, which says that it is one."""
    name = name_suite(suite_file)
    return name if "suite" in name.lower() else f"suite {name}"


def name_suite(suite_file: str) -> str:
    """Return what the suite in that file is called."""
    return Path(suite_file).stem


def _choose_name(describe_run: Callable[[Mapping[str, object]], str]) -> str:
    context = FlowRunContext.get()
    assert context
    assert context.flow_run, "Prefect asks for the name of a run that it has created"
    run = context.flow_run
    if run.run_count or not is_made_up(run.name):
        return run.name
    planned = run.expected_start_time or datetime.now().astimezone()
    return f"{describe_run(context.parameters or {})} {planned.astimezone():%Y-%m-%d %H:%M}"


def _describe_parameters(parameters: Mapping[str, object]) -> str:
    config_file = parameters.get("config_file")
    changes = parameters.get("overrides") or {}, parameters.get("advanced") or {}
    return describe(str(config_file) if config_file else None, *changes)


def describe(config_file: str | None, overrides: object, advanced: object) -> str:
    """Return what a run with these parameters scores: question file and model, as far as the settings can be read.

    A cell of a suite is called by its own name.
    """
    cell = split_address(config_file) if config_file else None
    if cell:
        return cell[1]
    try:
        changes = Overrides.model_validate(overrides).combine(Advanced.model_validate(advanced))
        config = load_config(config_file, changes)
    except (UserMistake, ValueError):
        return f"score {config_file or 'questions'}"
    of_part = f" shard {config.processing.shard}" if config.processing.shard else ""
    return f"{Path(config.questions_file).stem} {config.model.generator_settings.model}{of_part}"
