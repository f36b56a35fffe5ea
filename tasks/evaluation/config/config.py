"""The settings of an evaluation: the YAML file, the values given for one run, and the defaults behind both.

`loading.load_config` returns a checked `Config`, or raises one error that names the file, the key and the value. The keys and
defaults are those of the original script's files, which load unchanged.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tasks.evaluation.config.export_formats import ExportFormat
from tasks.evaluation.config.fields import Fields
from tasks.evaluation.config.history_settings import History
from tasks.evaluation.config.overrides import Count, WorkerCount
from tasks.evaluation.config.paths import FileNameText, InputPathText, PathText
from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.config.secrets import mask_secrets
from tasks.evaluation.config.shards import ShardText
from tasks.evaluation.config.urls import check_extra, check_headers, check_url


class Settings(BaseModel):
    """The base of all settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class Generator(Settings):
    """The generator's kind of endpoint."""

    generator_type: Literal["vllm", "argo", "openai", "llamacpp"] = "openai"
    """How the address is given; `llamacpp` starts a server on this machine. All kinds speak the same protocol."""


class GeneratorSettings(Settings):
    """The generator: where it is, and how it is asked."""

    model: str = Field(min_length=1)
    """The model's name, as the endpoint knows it."""
    base_url: str | None = None
    """The endpoint's address, up to `/v1`."""
    server: str | None = None
    """The host of a vLLM server, instead of `base_url`."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """The port of that server."""
    api_key: str | None = None
    """`${NAME}`: a variable; `secret:name`: a Prefect block; `command: …`: what a command prints; or a key, with a warning."""
    refresh_seconds: float | None = Field(default=None, ge=1)
    """Read the key again after this many seconds; None: only when the endpoint refuses it."""
    temperature: float | None = Field(default=0.0, ge=0)
    """The sampling temperature; None: not sent."""
    max_tokens: int | None = Field(default=1024, ge=1)
    """The length limit of a reply, in tokens; None: not sent."""
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """Further members of each request, which override all others."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of each request; values may be `${NAME}`, `secret:name` or `command: …`. Not part of the identity."""
    revision: str | None = None
    """Free text that tells versions of a model apart; part of the identity."""
    boot_local: bool = False
    """Start the model server on this machine."""
    hf_model_id: str | None = None
    """The weights that a local server loads, if they are not named like the model."""
    auto_port: bool = True
    """Start the local server on a free port."""
    local_host: str = "127.0.0.1"
    """The address that the local server listens on."""
    server_startup_timeout: float = Field(default=120, gt=0)
    """The number of seconds that a local server may take to start."""
    vllm_args: dict[str, JsonValue] = Field(default_factory=dict)
    """Further arguments for a local vLLM server."""
    enable_batching: bool = False
    """Accepted but not needed: `parallel_workers` questions are in flight."""
    batch_size: int = 8
    """The same."""
    batch_timeout: float = 1.0
    """The same."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, base_url: str | None) -> str | None:
        return check_url(base_url) if base_url else base_url

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return check_extra(extra)

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        return check_headers(headers)


class Model(Settings):
    """The generator and the grader."""

    generator: Generator = Field(default_factory=Generator)
    """The kind of endpoint."""
    generator_settings: GeneratorSettings
    """Where the generator is, and how it is asked."""
    grader_shortname: str | None = None
    """The grader's short name in the model servers file; None: the choice is read from the reply, without a second call."""
    model_config_file: PathText = "model_servers.yaml"
    """The YAML file that lists model servers, relative to the working directory or to the configuration file."""

    # pydantic reserves the prefix `model_`, which the documented keys use.
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Rag(Settings):
    """The context for each question; retrieval is not supported."""

    enabled: bool = True
    """Whether questions may be asked with a context."""
    use_context_field: bool = False
    """Ask each question with the context in its own record."""
    rag_config_file: str | None = None
    """Refused: retrieval is not supported."""
    retriever_config: dict[str, JsonValue] | None = None
    """The same."""
    retrieval_top_k: int = Field(default=5, ge=0)
    """Accepted, but without effect."""
    retrieval_score_threshold: float = 0.0
    """The same."""
    chunk_logging_enabled: bool = True
    """The same."""

    @property
    def uses_context(self) -> bool:
        """Return True if the context in a question's record goes into the prompt."""
        return self.enabled and self.use_context_field

    @model_validator(mode="after")
    def _refuse_retrieval(self) -> Self:
        if self.enabled and (self.retriever_config or self.rag_config_file):
            raise ValueError("retrieval is not supported; ask without it with --no-rag, or set rag.enabled: false")
        return self


class Processing(Settings):
    """How the questions are chosen, asked and kept."""

    parallel_workers: WorkerCount = 1
    """The number of questions in flight."""
    question_format: Literal["auto", "mc", "qa"] = "auto"
    """Treat every question as multiple choice or as a short answer; auto: whichever each question is."""
    verbose: bool = False
    """Show Prefect's own lines too."""
    random_selection: Count | None = None
    """The size of a random sample; None: all questions."""
    random_seed: int | None = None
    """The sample's seed; None: that of the run that is continued, or a random one."""
    limit: Count | None = None
    """Keep only the first questions, of the sample if one is drawn."""
    shard: ShardText | None = None
    """Ask one part of these questions only, `3/64`: the other parts are for other runs."""
    batch_size: int | None = Field(default=None, ge=1, le=100_000)
    """The number of questions in a task run; None: chosen from the number of questions."""
    enable_checkpointing: bool = True
    """Write checkpoints and an answer log."""
    checkpoint_interval: Count = 50
    """Save after this many new results."""
    checkpoint_directory: PathText = "checkpoints"
    """The folder for checkpoints and everything else that a later run needs."""
    resume_from_checkpoint: PathText | None = None
    """Continue this checkpoint."""
    auto_resume: bool = True
    """Reuse what earlier runs have answered."""
    progress_bar: bool = True
    """Show the bar."""
    save_incremental: bool = False
    """Make every answer durable before it counts."""
    retry_refused: bool = False
    """Ask again what the endpoint refused in an earlier run."""
    repeats: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Ask each question this many times, with requests of their own; its score is the mean of theirs.",
    )
    clarify_answers: bool = Field(
        default=True,
        description="Ask a model once which choice it meant if its reply does not settle that. Multiple choice without a "
        "grader and without logprobs; false: such a reply chooses nothing.",
    )
    request_timeout_seconds: float = Field(default=600, gt=0)
    """The longest time that one request may take."""
    max_outage_seconds: float = Field(default=600, ge=0)
    """The longest time that the endpoint may be down before the run stops."""
    keep_checkpoints: Count | None = None
    """The number of checkpoints to keep for each evaluation; None: all."""
    fail_under: float | None = Field(default=None, ge=0, le=1)
    """End the run as failed if the accuracy is below this; None: whatever it is."""
    fail_under_interval: float | None = Field(default=None, ge=0, le=1)
    """The same for the lower end of the accuracy's 95 % interval."""
    result_storage: PathText | None = None
    """Where Prefect keeps the batches' results: a path or a block; None: in the checkpoint directory."""

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if not self.enable_checkpointing and self.resume_from_checkpoint:
            raise ValueError("checkpointing is disabled, so nothing can be resumed: drop one of the two settings")
        if not self.enable_checkpointing and self.save_incremental:
            raise ValueError("checkpointing is disabled, and save_incremental needs it: drop one of the two settings")
        if self.shard:
            self._refuse_lost_shard()
        return self

    def _refuse_lost_shard(self) -> None:
        """Refuse what would keep the shard's answers from the run of the whole, or let it draw other questions."""
        if self.random_selection is not None and self.random_seed is None:
            raise ValueError("a shard of a random sample needs random_seed, the same for all: else each run draws its own")
        if not self.enable_checkpointing or not self.auto_resume:
            name = "auto_resume" if self.enable_checkpointing else "enable_checkpointing"
            raise ValueError(f"{name} is false, so no other run could use this shard's answers: drop it, or shard")


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
        if self.rag.uses_context and not self.prompt.shows_context():
            raise ValueError(
                "rag.use_context_field is set, and a text under prompt has no {context}: put it in, or give --no-rag"
            )
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
