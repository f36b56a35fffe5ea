"""The settings of an evaluation: the YAML file, the values given for one run, and the defaults behind both.

`load_config` gives a checked `Config`, or one message that names the file, the key and the value. The keys and defaults are
those of the original's files, which load unchanged; README.md documents each.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.question_fields import Fields
from tasks.evaluation.settings.masking import MASK, is_secret, mask_secrets
from tasks.evaluation.settings.model_servers import find_model_server
from tasks.evaluation.settings.overrides import Count, Overrides, WorkerCount
from tasks.evaluation.settings.paths import PathText
from tasks.evaluation.settings.prompt_settings import Prompt
from tasks.evaluation.settings.request_checks import check_extra, check_url
from tasks.evaluation.settings.yaml_files import name_key, read_yaml


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
            raise ValueError("checkpointing is disabled, so save_incremental cannot hold: drop one of the two settings")
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


SECTION_OF = {
    **dict.fromkeys(Processing.model_fields, "processing"),
    **dict.fromkeys(Output.model_fields, "output"),
    "model_config_file": "model",
}


def load_config(config_file: str | None, overrides: Overrides) -> Config:
    """The settings: those given for this run, before those of the file, before the defaults.

    Raises:
        UserMistake: a file cannot be read or parsed, or a value in it cannot be used.
    """
    given = read_yaml(config_file) if config_file else {}
    folder = Path(config_file).parent if config_file else Path()
    source = config_file or "the command line"
    merged = _apply_overrides(given, overrides, folder)
    if "questions_file" not in merged:
        raise UserMistake(f"{source} names no questions: give the file on the command line, or set questions_file")
    if not config_file and not overrides.model:
        raise UserMistake("no model is named: give a configuration with --config, or a model with --model")
    return _validate(merged, source)


def _apply_overrides(given: Mapping[str, JsonValue], overrides: Overrides, folder: Path) -> dict[str, JsonValue]:
    """The file's settings with those of this run laid over them."""
    sections = ("fields", "rag", "processing", "output", "prompt")
    given = {key: {} if value is None and key in sections else value for key, value in given.items()}
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in given.items()}
    values = overrides.model_dump(exclude_none=True)
    shortname, grader, no_rag = (values.pop(name, None) for name in ("model", "grader", "no_rag"))
    if "questions_file" in values:
        merged["questions_file"] = values.pop("questions_file")
    for name, value in values.items():
        _section(merged, SECTION_OF[name])[name] = value
    if grader:
        _section(merged, "model")["grader_shortname"] = grader
    if no_rag:
        _section(merged, "rag")["enabled"] = False
    if shortname:
        _choose_model(_section(merged, "model"), shortname, folder)
    return merged


def _choose_model(model: dict[str, JsonValue], name: str, folder: Path) -> None:
    """Make the generator the listed server of that short name, or else ask the configured endpoint for that model."""
    server = find_model_server(name, str(model.get("model_config_file", "model_servers.yaml")), folder)
    settings = _section(model, "generator_settings")
    if server is None:
        settings["model"] = name
        return
    model["generator"] = {"generator_type": "openai"}
    settings |= {"model": server.openai_model, "base_url": server.openai_api_base, "api_key": server.openai_api_key}
    settings |= {"boot_local": False, "extra": {**_section(settings, "extra"), **server.extra}}


def _section(settings: dict[str, JsonValue], key: str) -> dict[str, JsonValue]:
    """The mapping under the key, made where there is none."""
    section = settings.get(key)
    if not isinstance(section, dict):
        section = settings[key] = {}
    return section


def _validate(settings: Mapping[str, JsonValue], source: str) -> Config:
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise UserMistake(f"{source}: {_describe_first(error)}") from None


def _describe_first(error: ValidationError) -> str:
    """What is wrong, for the first of the errors: the key's path, the value, the reason; unknown keys first."""
    details = min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    path = [str(part) for part in details["loc"]] or ["a key"]
    if details["type"] == "extra_forbidden":
        return _describe_unknown_key(path)
    if details["type"] == "missing":
        return f"{'.'.join(path)} is missing"
    reason = details["msg"].removeprefix("Value error, ")
    if details["type"] == "value_error":
        return f"{'.'.join(path)}: {reason}"
    is_section = details["type"] in ("model_type", "dict_type")
    shown = _show(path[-1], details["input"], is_section=is_section)
    return f"{'.'.join(path)}: {shown} cannot be used: {reason[0].lower()}{reason[1:]}"


def _show(name: str, value: JsonValue, *, is_section: bool) -> str:
    """A value that cannot be used, as far as it may be shown: a text in the place of a section may hold keys."""
    if is_section and isinstance(value, str):
        return "a text"
    return MASK if is_secret(name, "x") else repr(mask_secrets(value))


def _describe_unknown_key(path: list[str]) -> str:
    *sections, written = path
    key = name_key(written)
    model: type[BaseModel] = Config
    for section in sections:
        annotation = model.model_fields[section].annotation
        assert isinstance(annotation, type)
        model = annotation
    nearest = difflib.get_close_matches(key, model.model_fields, n=1, cutoff=0.5)
    known = f"did you mean {nearest[0]!r}?" if nearest else f"known here: {', '.join(model.model_fields)}"
    where = f" in {'.'.join(sections)}" if sections else ""
    return f"unknown key {key!r}{where}: {known}"
