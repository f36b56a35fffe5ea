"""Reads the retriever's settings where they are used: from `rag_config_file`, which wins, or from `retriever_config`."""

from pathlib import Path

from pydantic import ValidationError

from tasks.evaluation.config.nearby_files import describe_nearby
from tasks.evaluation.config.rag_settings import Rag, RetrieverSettings
from tasks.evaluation.config.yaml_files import name_key, read_yaml
from tasks.evaluation.errors import UserMistake

SECTION = "rag.retriever_config"


def read_retriever(rag: Rag, source: str, folder: Path) -> Rag:
    """Return the settings with the retriever's completed under `retriever_config`; as they are where none is used.

    Args:
        rag: the settings.
        source: where they come from, for messages.
        folder: where `rag_config_file` is looked for if it is not in the working directory.

    Raises:
        UserMistake: the file cannot be read, or the retriever's settings cannot be used.
    """
    if not rag.retrieves:
        return rag
    given, where = rag.retriever_config, SECTION
    if rag.rag_config_file:
        path = _find(rag.rag_config_file, source, folder)
        given, where, source = read_yaml(path), "", path
        nested = given.get("retriever_config")
        given = nested if isinstance(nested, dict) else given
    try:
        settings = RetrieverSettings.model_validate(given)
    except ValidationError as error:
        raise UserMistake(f"{source}: {_describe(error, where)}") from None
    return rag.model_copy(update={"retriever_config": settings.model_dump(mode="json", exclude_unset=True)})


def _find(given: str, source: str, folder: Path) -> str:
    """Return the path of the retriever's file.

    Raises:
        UserMistake: it does not exist.
    """
    found = next((each for each in (Path(given), folder / given) if each.is_file()), None)
    if found is None:
        raise UserMistake(
            f"{source}: rag.rag_config_file: there is no file {given}; {describe_nearby(given, ('.yaml', '.yml'))}. "
            "Fix the path, or ask without retrieval with --no-rag"
        )
    return str(found)


def _describe(error: ValidationError, where: str) -> str:
    """Describe the first error: the key's path and the reason. Values are left out, since one may be a key."""
    details = min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
    path = ".".join([where, *(str(part) for part in details["loc"])]).strip(".")
    if details["type"] == "extra_forbidden":
        return f"unknown key {name_key(path)!r}"
    if details["type"] == "missing":
        return f"{path} is missing"
    reason = details["msg"].removeprefix("Value error, ")
    return f"{path}: {reason[0].lower()}{reason[1:]}"
