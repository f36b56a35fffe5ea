"""The suite file: which models are asked which questions, under which conditions.

    config: config.yaml                  # what all cells share: a configuration's path, or settings; optional
    models: [gpt-4.1, {name: llama, generator_settings: {model: llama-3-8b, server: node1, port: 8000}}]
    questions: [astro.json, {name: bio, questions_file: bio.parquet, fields: {answer_is: index}}]
    conditions: {plain: {rag: {enabled: false}}, rag: {rag: {enabled: true}}}    # any settings; optional
    exclude: [{model: llama, condition: rag}]
    parallel_cells: 2
    on: workers                          # each cell is a run on a worker; without it, all are in the suite's own process
    work_queue: shards                   # in which they wait for workers
    budget: {cost: 20}                   # of all cells together; optional
    fail_if_worse: gpt-4.1               # a model, a model/condition or a results file that no cell may be worse than; optional

Each entry has a name, by which tables, messages and `exclude` call it. `suite_cells` makes cells of it.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.overrides import Caps
from tasks.evaluation.config.paths import PathText, expand_path
from tasks.evaluation.config.suite_entries import Entry, name_all, read_model, read_questions
from tasks.evaluation.config.yaml_files import read_yaml
from tasks.evaluation.errors import UserMistake

Place = Literal["here", "workers"]
# The work queue of cells on workers, as of the shards of an evaluation.
QUEUE = "shards"
NO_BUDGET, NO_CAPS = BudgetSettings(), Caps()
NO_PERIOD = "does not fit a suite, whose budget holds for all that its cells ever cost: set it in the settings of the cells"


class Exclusion(BaseModel):
    """Cells that are left out: those with all of these names."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    """A model's name; None: any."""
    questions: str | None = None
    """The name of an entry of `questions`; None: any."""
    condition: str | None = None
    """A condition's name; None: any."""


class _Content(BaseModel):
    """What stands in the file."""

    model_config = ConfigDict(extra="forbid")

    config: PathText | dict[str, JsonValue] | None = None
    models: list[JsonValue] = Field(min_length=1)
    questions: list[JsonValue] = Field(min_length=1)
    conditions: dict[str, dict[str, JsonValue] | None] = Field(default_factory=dict)
    exclude: list[Exclusion] = Field(default_factory=list)
    parallel_cells: Annotated[int, Field(ge=1, le=100)] = 1
    on: Place = "here"
    work_queue: str | None = Field(default=None, min_length=1)
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    fail_if_worse: str | None = Field(default=None, min_length=1)


@dataclass(frozen=True)
class Suite:
    """What the suite file says."""

    path: str
    """The file."""
    config: str | Mapping[str, JsonValue] | None
    """What all cells share: a configuration's path, or settings."""
    models: tuple[Entry, ...]
    """The models."""
    questions: tuple[Entry, ...]
    """The files of questions."""
    conditions: tuple[Entry, ...]
    """The conditions; none: the shared settings are the only one."""
    exclude: tuple[Exclusion, ...]
    """Which cells are left out."""
    parallel_cells: int
    """How many cells run at once."""
    on: Place
    """Where: in the suite's own process, or each on a worker."""
    work_queue: str
    """The work queue in which cells wait for workers."""
    budget: BudgetSettings
    """What all cells together may spend."""
    fail_if_worse: str | None
    """A model, a model/condition or a results file that no cell may be worse than; None: whatever they are."""


def read_suite(path: str, caps: Caps = NO_CAPS, fail_if_worse: str | None = None) -> Suite:
    """Return what the suite file says.

    Args:
        path: the file.
        caps: of the budget, in place of those in the file.
        fail_if_worse: the baseline, in place of that in the file; None: that in the file.

    Raises:
        UserMistake: it cannot be read, or a value in it cannot be used.
    """
    try:
        content = _Content.model_validate(read_yaml(path))
        suite = Suite(
            path=path,
            config=content.config,
            models=name_all("models", [read_model(each) for each in content.models]),
            questions=name_all("questions", [read_questions(each) for each in content.questions]),
            conditions=name_all("conditions", [Entry(name, given or {}) for name, given in content.conditions.items()]),
            exclude=tuple(content.exclude),
            parallel_cells=content.parallel_cells,
            on=content.on,
            work_queue=content.work_queue or QUEUE,
            budget=content.budget.replace(dict(caps)),
            fail_if_worse=fail_if_worse or content.fail_if_worse,
        )
    except ValidationError as error:
        raise UserMistake(f"{path}: {_explain(error)}") from None
    except ValueError as error:
        raise UserMistake(f"{path}: {error}") from None
    if content.work_queue and suite.on == "here":
        raise UserMistake(f"{path}: work_queue is for cells on workers: set on: workers beside it, or leave it out")
    if suite.budget.per:
        raise UserMistake(f"{path}: budget.per: {suite.budget.per} {NO_PERIOD}")
    _check_exclusions(suite)
    _check_baseline(suite)
    return suite


def _check_exclusions(suite: Suite) -> None:
    """Check that each exclusion names what is there.

    Raises:
        UserMistake: one does not.
    """
    for exclusion in suite.exclude:
        named = ("model", exclusion.model, suite.models), ("questions", exclusion.questions, suite.questions)
        for key, name, entries in (*named, ("condition", exclusion.condition, suite.conditions)):
            known = [entry.name for entry in entries]
            if name is not None and name not in known:
                raise UserMistake(f"{suite.path}: exclude: there is no {key} {name!r}: {suggest(name, known)}")


def _check_baseline(suite: Suite) -> None:
    """Check that there is what no cell may be worse than.

    Raises:
        UserMistake: there is not.
    """
    baseline, models = suite.fail_if_worse, [model.name for model in suite.models]
    names = [*models, *(f"{model}/{condition.name}" for model in models for condition in suite.conditions)]
    if baseline is None or baseline in names:
        return
    try:
        is_file = Path(expand_path(baseline)).is_file()
    except (OSError, ValueError):  # too long, or with a null character
        is_file = False
    if not is_file:
        raise UserMistake(f"{suite.path}: fail_if_worse: {baseline!r} is no results file, no model and no model/condition here")


def suggest(name: str, known: Sequence[str]) -> str:
    """Return which of the known names may have been meant."""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known here: {', '.join(known) or 'none'}"


def _explain(error: ValidationError) -> str:
    """Describe the first error: the key's path and the reason. Unknown keys come first. No value is shown: one may be a key."""
    detail = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    *where, key = [str(part) for part in detail["loc"]] or ["the file"]
    if detail["type"] == "extra_forbidden":
        known = Exclusion.model_fields if where else _Content.model_fields
        return f"unknown key {key!r}{' in exclude' if where else ''}: {suggest(key, [*known])}"
    path = ".".join([*where, key])
    if detail["type"] == "missing":
        return f"{path} is missing"
    reason = detail["msg"].removeprefix("Value error, ")
    return f"{path}: {reason[0].lower()}{reason[1:]}"
