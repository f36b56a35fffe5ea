"""Names of flow runs: what the user typed, else what the run scores, and when it was to begin.

Prefect gives every run a name. If nobody typed one, it is made up, and ours says more. Nothing in the run tells the two apart,
so made-up names are known by their form:

    placid-otter       Prefect's server and client, from the words of the package coolname
    Tasty-Crab         the run form of the UI, version 2
    gamma3-vega-q      the run form of the UI, version 1
"""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

from coolname.data import config as coolname_config
from prefect.context import FlowRunContext

from tasks.evaluation.config.loading import load_config
from tasks.evaluation.config.overrides import Advanced, Overrides
from tasks.evaluation.errors import UserMistake

PRAISE = (
    "Awesome|Ergonomic|Fantastic|Generic|Gorgeous|Handcrafted|Handmade|Incredible|Intelligent|Licensed|Practical|Refined|"
    "Rustic|Sleek|Small|Tasty|Unbranded"
)
GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|psi|"
    "omega"
)
MADE_UP_BY_FORMS = re.compile(rf"(?:{PRAISE})-[A-Z][a-z]{{1,5}}|(?:{GREEK})\d*(?:-[a-z]+)+")


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


def is_made_up(name: str) -> bool:
    """Return True if Prefect has made the name up, which is decided by its form."""
    words = name.split("-")
    return bool(MADE_UP_BY_FORMS.fullmatch(name)) or (len(words) == 2 and _list_words().issuperset(words))


def describe(config_file: str | None, overrides: object, advanced: object) -> str:
    """Return what a run with these parameters scores: question file and model, as far as the settings can be read."""
    try:
        changes = Overrides.model_validate(overrides).combine(Advanced.model_validate(advanced))
        config = load_config(config_file, changes)
    except (UserMistake, ValueError):
        return f"score {config_file or 'questions'}"
    return f"{Path(config.questions_file).stem} {config.model.generator_settings.model}"


@cache
def _list_words() -> frozenset[str]:
    """Return the words that Prefect's server and client make names of."""
    parts = [part for part in coolname_config.values() if isinstance(part, dict)]
    return frozenset(word for part in parts for word in part.get("words", ()))
