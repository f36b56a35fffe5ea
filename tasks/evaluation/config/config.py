"""The settings of an evaluation: the YAML file, the values given for one run, and the defaults behind both.

`load_config` gives a checked `Config`, or one message that names the file, the key and the value. The keys and defaults are
those of the original's files, which load unchanged; README.md documents each.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.config.overrides import Count, WorkerCount
from tasks.evaluation.config.paths import PathText
from tasks.evaluation.config.prompt_settings import Prompt
from tasks.evaluation.config.secrets import mask_secrets
from tasks.evaluation.config.urls import check_extra, check_url


class Settings(BaseModel):
    """The base of all settings: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False)


class Generator(Settings):
    """What kind of endpoint the generator is."""

    generator_type: Literal["vllm", "argo", "openai", "llamacpp"] = "openai"


class GeneratorSettings(Settings):
    """The generator: where it is, and how it is asked."""

    model: str = Field(min_length=1)
    base_url: str | None = None
    server: str | None = None
    port: int | None = Field(default=None, ge=1, le=65535)
    api_key: str | None = None
    temperature: float | None = Field(default=0.0, ge=0)
    max_tokens: int | None = Field(default=1024, ge=1)
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    revision: str | None = None
    boot_local: bool = False
    hf_model_id: str | None = None
    auto_port: bool = True
    local_host: str = "127.0.0.1"
    server_startup_timeout: float = Field(default=120, gt=0)
    vllm_args: dict[str, JsonValue] = Field(default_factory=dict)
    enable_batching: bool = False
    batch_size: int = 8
    batch_timeout: float = 1.0

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, base_url: str | None) -> str | None:
        return check_url(base_url) if base_url else base_url

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return check_extra(extra)


class Model(Settings):
    """The generator and the grader."""

    generator: Generator = Field(default_factory=Generator)
    generator_settings: GeneratorSettings
    grader_shortname: str | None = None
    model_config_file: PathText = "model_servers.yaml"

    # pydantic keeps the prefix `model_` for itself, the documented keys use it.
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Rag(Settings):
    """The context that a question is asked with; retrieval is not supported."""

    enabled: bool = True
    use_context_field: bool = False
    rag_config_file: str | None = None
    retriever_config: dict[str, JsonValue] | None = None
    retrieval_top_k: int = Field(default=5, ge=0)
    retrieval_score_threshold: float = 0.0
    chunk_logging_enabled: bool = True

    @property
    def uses_context(self) -> bool:
        """Whether the question's own `text` goes into the prompt."""
        return self.enabled and self.use_context_field

    @model_validator(mode="after")
    def _refuse_retrieval(self) -> Self:
        if self.enabled and (self.retriever_config or self.rag_config_file):
            raise ValueError("retrieval is not supported; ask without it with --no-rag, or set rag.enabled: false")
        return self


class Processing(Settings):
    """How the questions are chosen, asked, and kept."""

    parallel_workers: WorkerCount = 1
    question_format: Literal["auto", "mc", "qa"] = "auto"
    verbose: bool = False
    random_selection: Count | None = None
    random_seed: int | None = None
    limit: Count | None = None
    batch_size: int | None = Field(default=None, ge=1, le=100_000)
    enable_checkpointing: bool = True
    checkpoint_interval: Count = 50
    checkpoint_directory: PathText = "checkpoints"
    resume_from_checkpoint: PathText | None = None
    auto_resume: bool = True
    progress_bar: bool = True
    save_incremental: bool = False
    retry_refused: bool = False
    request_timeout_seconds: float = Field(default=600, gt=0)
    max_outage_seconds: float = Field(default=600, ge=0)
    keep_checkpoints: Count | None = None
    result_storage: PathText | None = None

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if not self.enable_checkpointing and self.resume_from_checkpoint:
            raise ValueError("checkpointing is disabled, so nothing can be resumed: drop one of the two settings")
        if not self.enable_checkpointing and self.save_incremental:
            raise ValueError("checkpointing is disabled, and save_incremental needs it: drop one of the two settings")
        return self


class Output(Settings):
    """Where the results go."""

    save_incorrect: bool = False
    output_directory: PathText = "."
    output_prefix: PathText = "rag_results"


class Config(Settings):
    """All settings of one evaluation."""

    questions_file: PathText = Field(min_length=1)
    fields: Fields = Field(default_factory=Fields)
    model: Model
    rag: Rag = Field(default_factory=Rag)
    processing: Processing = Field(default_factory=Processing)
    output: Output = Field(default_factory=Output)
    prompt: Prompt = Field(default_factory=Prompt)
    grading: Literal["auto", "logprobs"] = "auto"

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if self.grading == "logprobs" and self.model.grader_shortname:
            raise ValueError("grading: logprobs needs no grader: drop model.grader_shortname, or grading")
        if self.rag.uses_context and not self.prompt.shows_context():
            raise ValueError(
                "rag.use_context_field is set, and a text under prompt has no {context}: put it in, or give --no-rag"
            )
        return self

    def complete_prompt(self) -> Prompt:
        """The prompt with what is not set: a grader reads any reply, without one a reply must end so that we can."""
        unread = "original" if self.model.grader_shortname else "default"
        return self.prompt.complete(mc="label" if self.grading == "logprobs" else unread, qa=unread)

    def for_files(self) -> dict[str, JsonValue]:
        """The settings in the shape of the YAML file, without any key in clear."""
        masked = mask_secrets(self.model_dump(mode="json"))
        assert isinstance(masked, dict)
        return masked
