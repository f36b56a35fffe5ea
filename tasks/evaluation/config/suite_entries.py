"""The entries of a suite file: models, files of questions and conditions, each with a name of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

Axis = Literal["models", "questions", "conditions"]
# What stands between the names of a cell.
SEPARATOR = ","
NAME = "name"
NO_NAME = "an entry has no name, or one that is no text: add `name: …` to its settings"
# What an entry without settings is.
SHORT_FORMS: dict[Axis, str] = {"models": "a model's name", "questions": "a path"}


@dataclass(frozen=True)
class Entry:
    """A model, a file of questions, or a condition."""

    name: str
    """Its name."""
    settings: Mapping[str, JsonValue]
    """The settings that it brings."""
    shortname: str = ""
    """Of a model: its short name in the model servers file, else its name at the shared endpoint; empty: as in the settings."""


def read_model(given: JsonValue) -> Entry:
    """Return a model: its name, or settings with a name, in which `model` may be a short name too."""
    if isinstance(given, str):
        return Entry(given, {}, shortname=given)
    settings = _require_settings("models", given)
    shortname = settings.get("model")
    if not isinstance(shortname, str):
        return Entry(str(settings.pop(NAME)), settings)
    del settings["model"]
    return Entry(str(settings.pop(NAME)), settings, shortname=shortname)


def read_questions(given: JsonValue) -> Entry:
    """Return a file of questions: its path, or settings with a name."""
    if isinstance(given, str):
        return Entry(_stem(given), {"questions_file": given})
    settings = _require_settings("questions", given)
    name = str(settings.pop(NAME))
    if "questions_file" not in settings:
        raise ValueError(f"questions: {name}: questions_file is missing")
    return Entry(name, settings)


def _require_settings(axis: Axis, given: JsonValue) -> dict[str, JsonValue]:
    """Return the settings of an entry, which has a name.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(given, dict) and isinstance(given.get(NAME), str):
        return dict(given)
    unfit = f"each entry must be {SHORT_FORMS[axis]}, or settings with a name"
    raise ValueError(f"{axis}: {NO_NAME if isinstance(given, dict) else unfit}")


def _stem(path: str) -> str:
    """Return the file's name without its endings."""
    name = Path(path).name
    for suffix in (".gz", Path(name.removesuffix(".gz")).suffix):
        name = name.removesuffix(suffix)
    return name or path


def name_all(axis: Axis, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Check that the entries can be told apart by names that a cell's name can hold.

    Raises:
        ValueError: they cannot.
    """
    names = [entry.name for entry in entries]
    for name in names:
        if SEPARATOR in name or not name.isprintable() or name != name.strip() or not name:
            raise ValueError(f"{axis}: {name!r} cannot be a name, which holds no comma and no space at its ends: give another")
        if names.count(name) > 1:
            raise ValueError(f"{axis}: two are called {name!r}: give one of them as settings with another name")
    return tuple(entries)
