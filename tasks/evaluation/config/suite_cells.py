"""The cells of a suite: each is an ordinary evaluation, whose settings are merged from the suite file.

A cell is a configuration like any other, and is named by the suite file and the cell's names: `suite.yaml#llama,bio,rag`.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from pydantic import JsonValue

from tasks.evaluation.config.model_choice import choose_model, open_section
from tasks.evaluation.config.suite_entries import SEPARATOR, Entry
from tasks.evaluation.config.suite_file import Exclusion, Suite, read_suite, suggest
from tasks.evaluation.config.yaml_files import read_yaml
from tasks.evaluation.errors import UserMistake

# What stands between a suite file and a cell.
MARK = "#"
# The keys of a model's settings that belong into the section `model`; all others stand beside it.
OF_MODEL = ("generator", "generator_settings", "grader_shortname", "model_config_file")
# What says where a model is. Whoever gives one of the first three gets none of all from the shared settings: a key is for the
# address that it stands beside.
OWN_PLACE = ("base_url", "server", "boot_local")
PLACE = (*OWN_PLACE, "port", "api_key", "headers", "refresh_seconds", "prices")
NO_CONDITION = Entry("", {})

Settings = dict[str, JsonValue]


@dataclass(frozen=True)
class Cell:
    """One evaluation of a suite."""

    suite: Suite
    """The suite."""
    model: Entry
    """The model."""
    questions: Entry
    """The file of questions."""
    condition: Entry
    """The condition; one without name and settings if the suite has none."""

    @property
    def name(self) -> str:
        """Return its name within the suite."""
        return SEPARATOR.join(entry.name for entry in (self.model, self.questions, self.condition) if entry.name)

    @property
    def config_file(self) -> str:
        """Return its name as a configuration."""
        return f"{self.suite.path}{MARK}{self.name}"


def split_address(config_file: str) -> tuple[str, str] | None:
    """Return the suite file and the cell's name; None if this is the path of an ordinary configuration."""
    suite_file, mark, cell = config_file.partition(MARK)
    return None if not mark or Path(config_file).exists() else (suite_file, cell)


def find_cell(config_file: str) -> Cell | None:
    """Return the cell that the configuration is; None if it is an ordinary one.

    Raises:
        UserMistake: the suite file cannot be read, or has no such cell.
    """
    address = split_address(config_file)
    if address is None:
        return None
    suite_file, wanted = address
    cells = {cell.name: cell for cell in list_cells(read_suite(suite_file))}
    name = SEPARATOR.join(part.strip() for part in wanted.split(SEPARATOR))
    if name not in cells:
        raise UserMistake(f"{suite_file} has no cell {name!r}: {suggest(name, [*cells])}")
    return cells[name]


def list_cells(suite: Suite) -> list[Cell]:
    """Return the suite's cells: all of a model's beside each other.

    Raises:
        UserMistake: every cell is excluded.
    """
    combined = product(suite.models, suite.questions, suite.conditions or (NO_CONDITION,))
    cells = [Cell(suite, *entries) for entries in combined]
    left = [cell for cell in cells if not any(_is_meant(exclusion, cell) for exclusion in suite.exclude)]
    if not left:
        raise UserMistake(f"{suite.path}: exclude leaves no cell")
    return left


def read_cell(cell: Cell) -> tuple[Settings, Path]:
    """Return the cell's settings, as a configuration file would hold them, and the folder beside which they are looked at.

    The folder is that of the shared configuration, else that of the suite file.

    Raises:
        UserMistake: a file that the suite names cannot be read.
    """
    shared, folder = _read_shared(cell.suite)
    return _merge_cell(deepcopy(shared), cell, folder), folder


def _is_meant(exclusion: Exclusion, cell: Cell) -> bool:
    names = {"model": cell.model.name, "questions": cell.questions.name, "condition": cell.condition.name}
    return all(name is None or names[key] == name for key, name in exclusion.model_dump().items())


def _read_shared(suite: Suite) -> tuple[Settings, Path]:
    """Return the settings that all cells share, and the folder beside which their files are looked for.

    The configuration's path is relative to the working directory, else to the suite file.
    """
    path = _find_shared(suite)
    if path is None:
        assert not isinstance(suite.config, str)
        return dict(suite.config or {}), find_folder_of(suite)
    return read_yaml(str(path)), path.parent


def find_folder_of(suite: Suite) -> Path:
    """Return the folder beside which the files are looked for that the suite's settings name; nothing is read."""
    return (_find_shared(suite) or Path(suite.path)).parent


def _find_shared(suite: Suite) -> Path | None:
    """Return the path of the shared configuration; None if the suite file holds the shared settings itself."""
    if not isinstance(suite.config, str):
        return None
    candidates = (Path(suite.config), Path(suite.path).parent / suite.config)
    return next((each for each in candidates if each.is_file()), candidates[0])


def _merge_cell(settings: Settings, cell: Cell, folder: Path) -> Settings:
    """Return the shared settings, which are changed, with those of the cell's model, questions and condition over them."""
    if cell.model.shortname:
        choose_model(open_section(settings, "model"), cell.model.shortname, folder)
    own = _put_into_sections(cell.model.settings)
    _leave_shared_place(settings, own)
    for each in (own, cell.questions.settings, cell.condition.settings):
        settings = merge(settings, each)
    return settings


def _put_into_sections(given: Mapping[str, JsonValue]) -> Settings:
    """Return a model's settings in the shape of a configuration."""
    settings = {key: value for key, value in given.items() if key not in OF_MODEL}
    of_model: Settings = {key: value for key, value in given.items() if key in OF_MODEL}
    return merge(settings, {"model": of_model}) if of_model else settings


def _leave_shared_place(settings: Settings, own: Settings) -> None:
    """Remove the shared endpoint's place from the settings if the model's own name another; see to its kind of endpoint."""
    model = own.get("model")
    given = model.get("generator_settings") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(given, dict) or not any(given.get(key) for key in OWN_PLACE):
        return
    section = open_section(settings, "model")
    shared = open_section(section, "generator_settings")
    for key in PLACE:
        shared.pop(key, None)
    section["generator"] = {"generator_type": "openai" if given.get("base_url") else "vllm"}


def merge(under: Mapping[str, JsonValue], over: Mapping[str, JsonValue]) -> Settings:
    """Return both settings: within sections too, what stands over the other counts."""
    merged = dict(under)
    for key, value in over.items():
        present = merged.get(key)
        merged[key] = merge(present, value) if isinstance(present, dict) and isinstance(value, dict) else value
    return merged
