"""The model servers file: the endpoints that a lab has, by short name.

It holds a list under `servers`. Each entry has a `shortname`, an `openai_api_base` (an address, a list of them, or
`file:PATH`), an `openai_model` and an `openai_api_key`, which may be `${NAME}`, `secret:name` or `command: PROGRAM ARGUMENT …`.
"""

from pathlib import Path

from pydantic import BaseModel, Field, JsonValue, ValidationError, field_validator

from tasks.evaluation.config.addresses import Addresses, check_one
from tasks.evaluation.config.prices import Prices, require_completion
from tasks.evaluation.config.urls import check_extra, check_headers
from tasks.evaluation.config.yaml_files import read_yaml
from tasks.evaluation.errors import UserMistake


class ModelServer(BaseModel):
    """An entry of the model servers file. Other keys, which other programs use, are ignored."""

    shortname: str
    openai_api_base: Addresses
    openai_model: str
    openai_api_key: str | None = None
    refresh_seconds: float | None = Field(default=None, ge=1, allow_inf_nan=False)
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    prices: Prices | None = None

    _check_extra = field_validator("extra")(check_extra)
    _check_headers = field_validator("headers")(check_headers)
    _check_prices = field_validator("prices")(require_completion)

    @field_validator("openai_api_base")
    @classmethod
    def _check_url(cls, base: str | list[str]) -> str | list[str]:
        return check_one(base) if isinstance(base, str) else base


def find_model_server(shortname: str, model_config_file: str, config_folder: Path) -> ModelServer | None:
    """Return the entry with that short name; None if the file has no such entry or does not exist.

    A relative path is looked up in the working directory, then beside the configuration file.

    Raises:
        UserMistake: the file does not parse, or the entry lacks its address or its model.
    """
    path = find_model_servers_file(model_config_file, config_folder)
    if path is None:
        return None
    servers = read_yaml(str(path)).get("servers")
    entries = [entry for entry in servers if isinstance(entry, dict)] if isinstance(servers, list) else []
    for entry in entries:
        if entry.get("shortname") == shortname:
            try:
                return ModelServer.model_validate(entry)
            except ValidationError as error:
                details = error.errors()[0]
                what = f"{'.'.join(map(str, details['loc']))}: {details['msg'].removeprefix('Value error, ')}"
                raise UserMistake(f"{path}: server {shortname!r}: {what}") from None
    return None


def list_model_servers(model_config_file: str, config_folder: Path) -> list[str]:
    """Return the short names in the model servers file, in its order."""
    path = find_model_servers_file(model_config_file, config_folder)
    servers = read_yaml(str(path)).get("servers") if path else None
    entries = servers if isinstance(servers, list) else []
    return [str(entry["shortname"]) for entry in entries if isinstance(entry, dict) and entry.get("shortname")]


def find_model_servers_file(model_config_file: str, config_folder: Path) -> Path | None:
    """Return the model servers file, in the working directory or beside the configuration; None if neither has it."""
    candidates = (Path(model_config_file), config_folder / model_config_file)
    try:
        return next((path for path in candidates if path.is_file()), None)
    except (OSError, ValueError) as error:
        raise UserMistake(f"cannot read the model servers file {model_config_file[:100]}: {error}") from None
