"""Loading the settings of a run: those given for it alone, then those of the configuration file, then the defaults."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, JsonValue, ValidationError

from tasks.evaluation.config.budget_settings import CAPS
from tasks.evaluation.config.config import Config, Output
from tasks.evaluation.config.model_choice import choose_model, open_section
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.paths import expand_input
from tasks.evaluation.config.processing_settings import Processing
from tasks.evaluation.config.prompt_settings import list_formats
from tasks.evaluation.config.rag_file import read_retriever
from tasks.evaluation.config.secrets import MASK, is_secret, mask_secrets
from tasks.evaluation.config.suite_cells import find_cell, find_folder_of, read_cell
from tasks.evaluation.config.yaml_files import name_key, read_yaml
from tasks.evaluation.errors import UserMistake

# What reasoning models of OpenAI take in place of `max_tokens`.
MAX_TOKENS_OF_REASONERS = "max_completion_tokens"
SECTION_OF = {
    **dict.fromkeys(Processing.model_fields, "processing"),
    **dict.fromkeys(Output.model_fields, "output"),
    "model_config_file": "model",
}


def load_config(config_file: str | None, overrides: Overrides) -> Config:
    """Return the settings: those given for this run, then those of the file, then the defaults.

    Args:
        config_file: the configuration's path, or a cell of a suite, `suite.yaml#CELL`; None: the defaults alone.
        overrides: what is given for this run.

    Raises:
        UserMistake: a file cannot be read or parsed, or a value in it cannot be used.
    """
    config_file = find_config_file(config_file)
    given, folder = _read_settings(config_file)
    source = config_file or "the command line"
    merged = _apply_overrides(given, overrides, folder)
    if "questions_file" not in merged:
        raise UserMistake(f"{source} names no questions: give the file on the command line, or set questions_file")
    if not config_file and not overrides.model:
        raise UserMistake("no model is named: give a configuration with --config, or a model with --model")
    config = _validate(merged, source)
    return config.model_copy(update={"rag": read_retriever(config.rag, source, folder)})


def find_config_file(config_file: str | None) -> str | None:
    """Return the configuration's path, expanded.

    Raises:
        UserMistake: it cannot be expanded.
    """
    try:
        return expand_input(config_file) if config_file else None
    except ValueError as error:
        raise UserMistake(f"the configuration file: {error}") from None


def find_folder(config_file: str | None) -> Path:
    """Return the folder in which files are looked for that the settings name, where the working directory lacks them.

    Raises:
        UserMistake: the configuration is a cell of a suite that cannot be read.
    """
    cell = find_cell(config_file) if config_file else None
    return find_folder_of(cell.suite) if cell else Path(config_file).parent if config_file else Path()


def _read_settings(config_file: str | None) -> tuple[dict[str, JsonValue], Path]:
    """Return the settings in the file, or of the cell of a suite, and the folder of files that they name."""
    if not config_file:
        return {}, Path()
    cell = find_cell(config_file)
    return read_cell(cell) if cell else (read_yaml(config_file), Path(config_file).parent)


def _apply_overrides(given: Mapping[str, JsonValue], overrides: Overrides, folder: Path) -> dict[str, JsonValue]:
    """Return the file's settings, overridden by those of this run."""
    sections = ("fields", "rag", "processing", "output", "prompt", "budget")
    given = {key: {} if value is None and key in sections else value for key, value in given.items()}
    merged = {key: dict(value) if isinstance(value, dict) else value for key, value in given.items()}
    values = overrides.model_dump(exclude_none=True)
    shortname, grader, no_rag, prompt = (values.pop(name, None) for name in ("model", "grader", "no_rag", "prompt"))
    budget = {cap: values.pop(name) for name, cap in CAPS.items() if name in values}
    requested = {name: values.pop(name) for name in ("temperature", "max_tokens") if name in values}
    if "questions_file" in values:
        merged["questions_file"] = values.pop("questions_file")
    if budget:
        open_section(merged, "budget").update(budget)
    for name, value in values.items():
        open_section(merged, SECTION_OF[name])[name] = value
    if grader:
        open_section(merged, "model")["grader_shortname"] = grader
    if no_rag:
        open_section(merged, "rag")["enabled"] = False
    if shortname:
        choose_model(open_section(merged, "model"), shortname, folder)
    for name, value in requested.items():
        _set_request(open_section(open_section(merged, "model"), "generator_settings"), name, value)
    if prompt:
        merged["prompt"] = _choose_prompt(merged.get("prompt"), prompt)
    return merged


def _set_request(settings: dict[str, JsonValue], name: str, value: JsonValue) -> None:
    """Set what is sent to the generator: under `extra` if it stands there, since that overrides the setting of its name."""
    extra = settings.get("extra")
    own_names = (MAX_TOKENS_OF_REASONERS, name) if name == "max_tokens" else (name,)
    for own_name in own_names:
        if isinstance(extra, dict) and own_name in extra:
            settings["extra"] = {**extra, own_name: value}
            return
    settings[name] = value


def _choose_prompt(given: JsonValue, prompt: str) -> dict[str, JsonValue]:
    """Return the prompt's settings with this one: a built-in one or a text, for each format that it can ask.

    The system message stays as it is, and so does a format that it cannot ask: `label` and the choices are for multiple choice.
    """
    settings = {"mc": given, "qa": given} if isinstance(given, str) else dict(given) if isinstance(given, dict) else {}
    return {**settings, **dict.fromkeys(list_formats(prompt), prompt)}


def _validate(settings: Mapping[str, JsonValue], source: str) -> Config:
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise UserMistake(f"{source}: {_describe_first(error)}") from None


def _describe_first(error: ValidationError) -> str:
    """Describe the first error: the key's path, the value, the reason. Unknown keys come first."""
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
    """Return an unusable value as far as it may be shown: a text in place of a section may hold keys."""
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
