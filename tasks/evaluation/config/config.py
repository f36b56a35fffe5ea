"""The settings of an evaluation: the YAML file, the values given for one run, and the defaults behind both.

`loading.load_config` returns a checked `Config`, or raises one error that names the file, the key and the value. The keys and
defaults are those of the original script's files, which load unchanged.
"""

from typing import Literal, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from tasks.evaluation.config.budget_settings import BudgetSettings
from tasks.evaluation.config.export_formats import ExportFormat
from tasks.evaluation.config.fields import Fields
from tasks.evaluation.config.generator_settings import Generator, GeneratorSettings
from tasks.evaluation.config.history_settings import History
from tasks.evaluation.config.paths import FileNameText, InputPathText, PathText
from tasks.evaluation.config.processing_settings import Processing
from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.config.rag_settings import Rag
from tasks.evaluation.config.secrets import mask_secrets
from tasks.evaluation.config.settings import Settings

# Where the settings name no model servers file.
DEFAULT_SERVERS_FILE = "model_servers.yaml"


class Model(Settings):
    """The generator and the grader."""

    generator: Generator = Field(default_factory=Generator)
    """The kind of endpoint."""
    generator_settings: GeneratorSettings
    """Where the generator is, and how it is asked."""
    grader_shortname: str | None = None
    """The grader's short name in the model servers file; None: the choice is read from the reply, without a second call."""
    model_config_file: PathText = DEFAULT_SERVERS_FILE
    """The YAML file that lists model servers, relative to the working directory or to the configuration file."""

    # pydantic reserves the prefix `model_`, which the documented keys use.
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Output(Settings):
    """Where the results go."""

    save_incorrect: bool = False
    """Write the questions scored below 1 to a file of their own."""
    output_directory: PathText = "."
    """The folder of the results."""
    output_prefix: FileNameText = "rag_results"
    """The beginning of the results' file names."""
    formats: list[ExportFormat] = Field(default_factory=list)
    """The formats of other tools in which the results are written as well."""
    report: bool | None = None
    """Write the results also as a web page with every question; None: where the run is one of a deployment."""
    junit: PathText | None = None
    """Write what `fail_under` has decided to this file, in the form that CI systems show."""


class Config(Settings):
    """All settings of one evaluation."""

    questions_file: InputPathText = Field(min_length=1)
    """The file of questions."""
    fields: Fields = Field(default_factory=Fields)
    """Which field of a record holds what."""
    model: Model
    """The generator and the grader."""
    rag: Rag = Field(default_factory=Rag)
    """The context for each question."""
    processing: Processing = Field(default_factory=Processing)
    """How the questions are chosen, asked and kept."""
    output: Output = Field(default_factory=Output)
    """Where the results go."""
    budget: BudgetSettings = Field(default_factory=BudgetSettings)
    """What may be spent at most."""
    history: History = Field(default_factory=History)
    """How the run is held against earlier ones."""
    prompt: Prompt = Field(default_factory=Prompt)
    """The words around each question."""
    grading: Literal["auto", "logprobs"] = "auto"
    """auto: by the grader, or without a grader by the choice read from the reply; logprobs: by the first token."""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if self.grading == "logprobs" and self.model.grader_shortname:
            raise ValueError("grading: logprobs needs no grader: drop model.grader_shortname, or grading")
        if self.fields.reorders_choices and self.processing.repeats == 1:
            raise ValueError("fields.shuffle_choices: each_repeat needs processing.repeats: 2 or more")
        if (self.rag.uses_context or self.rag.retrieves) and not self.prompt.shows_context():
            setting = "use_context_field" if self.rag.uses_context else "retriever_config"
            raise ValueError(f"rag.{setting} is set, and a text under prompt has no {{context}}: put it in, or give --no-rag")
        return self

    def complete_prompt(self) -> Prompt:
        """Return the prompt, with a built-in one for each format that has none.

        A grader can read any reply; without a grader, the prompt must ask for an ending that can be read.
        """
        unread = "original" if self.model.grader_shortname else "default"
        return self.prompt.complete(mc="label" if self.grading == "logprobs" else unread, qa=unread)

    def for_files(self) -> dict[str, JsonValue]:
        """Return the settings in the shape of the YAML file, with every secret masked."""
        masked = mask_secrets(self.model_dump(mode="json"))
        assert isinstance(masked, dict)
        return masked
