"""The choice of a model by its name: a short name in the model servers file, else a model of the configured endpoint."""

from pathlib import Path

from pydantic import JsonValue

from tasks.evaluation.config.config import DEFAULT_SERVERS_FILE
from tasks.evaluation.config.model_servers import find_model_server


def choose_model(model: dict[str, JsonValue], name: str, folder: Path) -> None:
    """Use the listed server with that short name; if no server has it, ask the configured endpoint for that model.

    Args:
        model: the section `model` of the settings, which is changed.
        name: the name.
        folder: the configuration's folder, for the model servers file.

    Raises:
        UserMistake: the model servers file does not parse, or the entry lacks its address or its model.
    """
    server = find_model_server(name, str(model.get("model_config_file", DEFAULT_SERVERS_FILE)), folder)
    settings = open_section(model, "generator_settings")
    if server is None:
        settings["model"] = name
        return
    model["generator"] = {"generator_type": "openai"}
    base = server.openai_api_base
    settings |= {"model": server.openai_model, "base_url": base if isinstance(base, str) else [*base]}
    settings["api_key"] = server.openai_api_key
    settings["headers"] = dict(server.headers)  # like the key: those of the configured endpoint are not for another to see
    settings |= {"refresh_seconds": server.refresh_seconds, "boot_local": False}
    settings["prices"] = server.prices.model_dump(exclude_unset=True) if server.prices else None
    settings["extra"] = {**open_section(settings, "extra"), **server.extra}


def open_section(settings: dict[str, JsonValue], key: str) -> dict[str, JsonValue]:
    """Return the mapping under the key; make it if it is missing."""
    section = settings.get(key)
    if not isinstance(section, dict):
        section = settings[key] = {}
    return section
