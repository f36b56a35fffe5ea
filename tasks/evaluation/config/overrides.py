"""The settings that people change from run to run: the command's flags, and the form in which Prefect's UI asks for them.

An empty setting is taken from the configuration file. The form shows a title, a description and limits for each setting, and a
menu for booleans; an empty field is left out of the run's parameters.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator
from pydantic.config import JsonDict

from tasks.evaluation.config.budget_settings import Amount
from tasks.evaluation.config.prompt_settings import BUILT_IN
from tasks.evaluation.config.settings import Count
from tasks.evaluation.config.shards import ShardText
from tasks.evaluation.errors import UserMistake

Share = Annotated[float, Field(ge=0, le=1)]
MOST_WORKERS = 10_000
WorkerCount = Annotated[int, Field(ge=1, le=MOST_WORKERS)]


def _as_form(schema: JsonDict) -> None:
    """Make the form show fields that may be left empty; by default it first asks for each whether its type is "None"."""
    for field in _read_fields(schema).values():
        options = field.pop("anyOf")
        assert isinstance(options, list)
        assert isinstance(options[0], dict)
        field.update(options[0])
        del field["default"]
        field["description"] = f"{field['description']} Empty: as in the configuration file."
        if field["type"] == "boolean":
            # A switch has no third position; without a type the form shows a menu.
            del field["type"]
            field["enum"] = [True, False]


def _as_long_form(schema: JsonDict) -> None:
    """Show what a person may set."""
    _as_form(schema)
    _hide(schema, ["whole_run_id", "suite_purse"])


def _as_short_form(schema: JsonDict) -> None:
    """Show only what is often changed. The rest is accepted here too, as schedules and deployments have it."""
    _as_form(schema)
    offer(_read_fields(schema)["prompt"], BUILT_IN["mc"], "Built in", "A text of your own")
    _hide(schema, [*Advanced.model_fields, "auto_resume"])


def _hide(schema: JsonDict, names: Collection[str]) -> None:
    """Accept these fields without showing them."""
    fields = _read_fields(schema)
    schema["properties"] = {name: field for name, field in fields.items() if name not in names}
    # In place of `additionalProperties`, whose message would be a list of patterns.
    del schema["additionalProperties"]
    schema["propertyNames"] = {"enum": [*fields]}
    schema["patternProperties"] = {f"^{name}$": {"anyOf": [fields[name], {"type": "null"}]} for name in names}


def _read_fields(schema: JsonDict) -> dict[str, JsonDict]:
    fields = schema["properties"]
    assert isinstance(fields, dict)
    return {name: field for name, field in fields.items() if isinstance(field, dict)}


def offer(field: JsonDict, values: Sequence[str], title: str, other: str, *, is_required: bool = False) -> None:
    """Make a text field of the form a menu of these values, with a switch to a field for any other text, and to none."""
    del field["type"]
    none: list[JsonValue] = [] if is_required else [{"title": "As configured", "type": "null"}]
    field["anyOf"] = [{"title": title, "type": "string", "enum": [*values]}, {"title": other, "type": "string"}, *none]


class Caps(BaseModel):
    """What may be spent at most; an empty cap is taken from the file."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), json_schema_extra=_as_form)

    max_cost: Amount | None = Field(
        default=None, title="Highest cost", description="Stop before all results have cost more than this many US dollars."
    )
    max_tokens_total: Count | None = Field(
        default=None, title="Most tokens", description="Stop before all results have taken more tokens than this."
    )
    max_seconds: Amount | None = Field(
        default=None, title="Longest time", description="Ask nothing more after this many seconds."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _read_empty(cls, value: object) -> object:
        """Return None for a field of the form that was filled in and emptied again."""
        return None if value == "" else value

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the settings that were given under these names.

        Raises:
            UserMistake: one of them cannot be used.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            detail = error.errors()[0]
            name, reason = str(detail["loc"][0]), detail["msg"].removeprefix("Value error, ")
            raise UserMistake(f"{name}: {detail['input']!r} cannot be used: {reason[0].lower()}{reason[1:]}") from None


class Advanced(Caps):
    """What is seldom changed for a single run; an empty setting is taken from the configuration file."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), json_schema_extra=_as_long_form)

    random_selection: Count | None = Field(
        default=None, title="Random sample", description="Score a random sample of this many questions."
    )
    random_seed: int | None = Field(
        default=None, title="Seed", description="The seed of the random sample; a random one if it is not set."
    )
    shard: ShardText | None = Field(
        default=None,
        title="Shard",
        description="Ask one part only, such as 3/64: the batches whose number, from 0, leaves 3 when divided by 64.",
    )
    whole_run_id: str | None = Field(
        default=None,
        title="Run of the whole",
        description="The id of the run that finds the answers of a shard that reuses none; set by evaluate-sharded.",
    )
    suite_purse: str | None = Field(
        default=None,
        title="Purse of the suite",
        description="The folder in which the cells of a suite count what they spend together; set by the suite.",
    )
    parallel_workers: WorkerCount | None = Field(
        default=None, title="Workers", description="The number of questions in flight, 1 to 10,000."
    )
    checkpoint_interval: Count | None = Field(
        default=None, title="Checkpoint interval", description="Save a checkpoint after this many questions."
    )
    save_incremental: bool | None = Field(
        default=None, title="Ultra-safe", description="Make every answer durable before it counts."
    )
    retry_refused: bool | None = Field(
        default=None, title="Retry refused", description="Ask again what the endpoint refused in an earlier run."
    )
    clarify_answers: bool | None = Field(
        default=None,
        title="Clarify answers",
        description="Ask the model once which choice it meant if its reply does not settle that; false: it chooses nothing.",
    )
    repeats: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, title="Repeats", description="Ask each question this many times; its score is the mean."
    )
    fail_under_interval: Share | None = Field(
        default=None,
        title="Fail under, by the interval",
        description="End as failed if the lower end of the accuracy's 95 % interval is below this.",
    )
    junit: str | None = Field(
        default=None, title="JUnit file", description="Where to write what the gates have decided, for CI systems."
    )
    save_incorrect: bool | None = Field(
        default=None, title="Save incorrect", description="Write the questions scored below 1 to a file of their own."
    )
    report: bool | None = Field(
        default=None,
        title="HTML report",
        description="Write the results also as a web page with every question. If the file does not say either, it is written.",
    )
    no_rag: bool | None = Field(
        default=None, title="No RAG", description="Ask without retrieval and without the context field."
    )
    model_config_file: str | None = Field(
        default=None, title="Model servers file", description="The YAML file that lists model servers."
    )
    resume_from_checkpoint: str | None = Field(
        default=None, title="Resume from", description="The path of the checkpoint to continue."
    )
    checkpoint_directory: str | None = Field(
        default=None, title="Checkpoint directory", description="The folder for checkpoints."
    )
    enable_checkpointing: bool | None = Field(
        default=None, title="Checkpointing", description="Write checkpoints and an answer log."
    )
    progress_bar: bool | None = Field(default=None, title="Progress bar", description="Show progress in the terminal.")
    verbose: bool | None = Field(default=None, title="Verbose", description="Show Prefect's own lines too.")


class Overrides(Advanced):
    """The settings of this run that differ from the configuration file; an empty one is taken from the file."""

    model_config = ConfigDict(json_schema_extra=_as_short_form)

    questions_file: str | None = Field(default=None, title="Questions file", description="The file of questions.")
    model: str | None = Field(
        default=None,
        title="Model",
        description="A short name in the model servers file, else another model of the configured endpoint.",
    )
    grader: str | None = Field(
        default=None,
        title="Grader",
        description="The short name, in the model servers file, of the model that grades.",
    )
    limit: Count | None = Field(
        default=None,
        title="Number of questions",
        description="Score only the first questions, of the sample if one is drawn.",
    )
    temperature: Annotated[float, Field(ge=0)] | None = Field(
        default=None, title="Temperature", description="The generator's sampling temperature."
    )
    max_tokens: Count | None = Field(
        default=None, title="Longest answer", description="The most tokens that the generator may answer with."
    )
    prompt: str | None = Field(
        default=None,
        title="Prompt",
        description="The words around each question: a built-in prompt, or a text of your own with {question} in it.",
    )
    fail_under: Share | None = Field(
        default=None, title="Fail under", description="End as failed if the accuracy, from 0 to 1, is below this."
    )

    auto_resume: bool | None = Field(
        default=None,
        title="Auto-resume",
        description="Reuse what earlier runs have answered; false asks everything again. A retry continues its own run anyway.",
    )

    def combine(self, advanced: Advanced) -> Self:
        """Return these settings with those of the form's second box, which hold where both are given."""
        return self.model_copy(update=advanced.model_dump(exclude_none=True))

    def resume(self, auto_resume: bool | None) -> Self:
        """Return these settings with this choice between reusing and asking again; None: with their own."""
        return self if auto_resume is None else self.model_copy(update={"auto_resume": auto_resume})
