"""A suite file made of a folder of configurations, such as a study has that was run one configuration at a time.

Each setting finds its place: what is the same in all configurations is shared, and what says where a model is or which file is
asked belongs to the models or the questions. Of the rest, what always goes with one of these belongs to it, and all else makes
the conditions. Remarks name what has no place in a suite.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from tasks.evaluation.config.suite_cells import OF_MODEL, PLACE
from tasks.evaluation.config.suite_entries import SEPARATOR
from tasks.evaluation.config.yaml_files import YAML_SUFFIXES, read_yaml
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.suites.leaves import KeyPath, Leaves, describe, flatten, unflatten
from tasks.evaluation.suites.plain_keys import PlainKeys

MODEL_NAME: KeyPath = ("model", "generator_settings", "model")
QUESTIONS_FILE: KeyPath = ("questions_file",)
# Where each configuration writes its results: cells write side by side, told apart by what their files record.
FOLDER: KeyPath = ("output", "output_directory")
PREFIX: KeyPath = ("output", "output_prefix")


@dataclass(frozen=True)
class MadeSuite:
    """A suite file, and what is to be known about it."""

    content: dict[str, JsonValue]
    """The file's content."""
    cell_count: int
    """How many cells it has."""
    remarks: Sequence[str]
    """What could not be merged, and why."""


@dataclass(frozen=True)
class _Source:
    """A configuration."""

    name: str
    """The file's name."""
    leaves: Leaves
    """Its settings."""


@dataclass(frozen=True)
class _Axis:
    """The models, the files of questions, or the conditions."""

    paths: Sequence[KeyPath]
    """The settings in which they differ."""
    names: Mapping[str, str]
    """Their names, by the values of these settings."""
    sources: Mapping[str, _Source]
    """A configuration of each."""

    def find(self, source: _Source) -> str:
        """Return the name of the one that the configuration has."""
        return self.names[describe(source.leaves, self.paths)]


def make_suite(folder: Path) -> MadeSuite:
    """Return the suite of which the folder's configurations are the cells.

    Raises:
        UserMistake: there is no such folder, or it holds no configuration.
    """
    remarks: list[str] = []
    keys = PlainKeys()
    sources = [_prepare(name, settings, keys, remarks) for name, settings in _read_configs(folder, remarks)]
    if not sources:
        raise UserMistake(f"{folder} holds no configuration (*.yaml with model.generator_settings)")
    remarks += keys.remarks
    varying = _list_varying(sources)
    shared = {path: value for path, value in sources[0].leaves.items() if path not in varying}
    shared |= _merge_output(sources, varying, folder, remarks)
    models, questions, conditions = _find_axes(sources, [path for path in varying if path not in (FOLDER, PREFIX)])
    content: dict[str, JsonValue] = {
        "config": unflatten(shared),
        "models": [_describe_model(name, models) for name in models.names.values()],
        "questions": [_describe_questions(name, questions) for name in questions.names.values()],
    }
    if conditions.paths:
        content["conditions"] = {name: unflatten(_take(name, conditions)) for name in conditions.names.values()}
    cells = _find_cells(sources, (models, questions, conditions), remarks)
    excluded = _list_missing(cells, (models, questions, conditions))
    if excluded:
        content["exclude"] = excluded
    return MadeSuite(content, len(cells), remarks)


def _read_configs(folder: Path, remarks: list[str]) -> Iterable[tuple[str, dict[str, JsonValue]]]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in YAML_SUFFIXES and path.is_file())
    except OSError as error:
        raise UserMistake(f"cannot read the folder {folder}: {error.strerror or error}") from None
    for path in paths:
        try:
            settings = read_yaml(str(path))
        except UserMistake as mistake:
            remarks.append(f"left out: {mistake}")
            continue
        model = settings.get("model")
        if isinstance(model, dict) and isinstance(model.get("generator_settings"), dict):
            yield path.name, settings
        else:
            remarks.append(f"left out: {path} is no configuration: it has no model.generator_settings")


def _prepare(name: str, settings: dict[str, JsonValue], keys: PlainKeys, remarks: list[str]) -> _Source:
    """Return the configuration without keys in clear, and without what it does not use."""
    rag = settings.get("rag")
    if isinstance(rag, dict) and rag.get("enabled") is False and len(rag) > 1:
        settings["rag"] = {"enabled": False}
        unused = "the other settings of rag, where rag.enabled is false: they are not used"
        if f"left out: {unused}" not in remarks:
            remarks.append(f"left out: {unused}")
    return _Source(name, keys.replace(flatten(settings), name))


def _list_varying(sources: Sequence[_Source]) -> list[KeyPath]:
    """Return the settings in which the configurations differ, in their order there."""
    paths = dict.fromkeys(path for source in sources for path in source.leaves)
    varying = [path for path in paths if len({describe(source.leaves, [path]) for source in sources}) > 1]
    of_place = [path for path in paths if path[:1] == ("model",) and (path[1] == "generator" or path[-1] in PLACE)]
    # An address of its own leaves the shared key and the like behind, so these go with it.
    return [*varying, *(path for path in of_place if path not in varying)] if set(of_place) & set(varying) else varying


def _merge_output(sources: Sequence[_Source], varying: Sequence[KeyPath], folder: Path, remarks: list[str]) -> Leaves:
    """Return where the cells write their results, if the configurations write them to different places."""
    merged: Leaves = {}
    for path in (FOLDER, PREFIX):
        if path not in varying:
            continue
        values = [str(source.leaves[path]) for source in sources if path in source.leaves]
        merged[path] = _find_common(values) if path == FOLDER else folder.resolve().name
        others = len(set(values))
        remarks.append(f"not merged: {'.'.join(path)} has {others} values; the cells share {merged[path]!r}")
    return merged


def _find_common(folders: Sequence[str]) -> str:
    try:
        return os.path.commonpath(folders) or "."
    except ValueError:  # some are absolute
        return "."


def _find_axes(sources: Sequence[_Source], varying: Sequence[KeyPath]) -> tuple[_Axis, _Axis, _Axis]:
    """Return the models, the files of questions and the conditions."""
    of_models = [path for path in varying if path[:1] == ("model",) and path[1:2] != () and path[1] in OF_MODEL[:2]]
    of_questions = [path for path in varying if path[0] in ("questions_file", "fields")]
    of_conditions: list[KeyPath] = []
    first_models, first_questions = [*of_models], [*of_questions]
    for path in varying:
        if path in first_models or path in first_questions:
            continue
        if _follows(path, first_models, sources):
            of_models.append(path)
        elif _follows(path, first_questions, sources):
            of_questions.append(path)
        else:
            of_conditions.append(path)
    return (
        _make_axis(of_models, sources, _name_model),
        _make_axis(of_questions, sources, _name_questions),
        _make_axis(of_conditions, sources, _name_condition),
    )


def _follows(path: KeyPath, paths: Sequence[KeyPath], sources: Sequence[_Source]) -> bool:
    """Return True if the setting is always the same where these others are."""
    pairs = {(describe(source.leaves, paths), describe(source.leaves, [path])) for source in sources}
    return len(pairs) == len({first for first, _ in pairs})


def _make_axis(paths: Sequence[KeyPath], sources: Sequence[_Source], choose: Callable[[list[_Source]], str]) -> _Axis:
    groups: dict[str, list[_Source]] = {}
    for source in sources:
        groups.setdefault(describe(source.leaves, paths), []).append(source)
    names: dict[str, str] = {}
    for key, group in groups.items():
        name = choose(group).replace(SEPARATOR, " ").strip() or "unnamed"
        taken = sum(other == name or other.startswith(f"{name} (") for other in names.values())
        names[key] = f"{name} ({taken + 1})" if taken else name
    return _Axis(paths, names, {names[key]: group[0] for key, group in groups.items()})


def _name_model(group: Sequence[_Source]) -> str:
    return str(group[0].leaves.get(MODEL_NAME, ""))


def _name_questions(group: Sequence[_Source]) -> str:
    return Path(str(group[0].leaves.get(QUESTIONS_FILE, ""))).stem


def _name_condition(group: Sequence[_Source]) -> str:
    """Return what the names of the most of these files end in, behind two underscores."""
    return Counter(Path(source.name).stem.rpartition("__")[2] for source in group).most_common(1)[0][0]


def _take(name: str, axis: _Axis) -> Leaves:
    leaves = axis.sources[name].leaves
    return {path: leaves[path] for path in axis.paths if path in leaves}


def _describe_model(name: str, axis: _Axis) -> JsonValue:
    """Return an entry of `models`, whose settings of the section `model` stand at its top."""
    settings = unflatten(_take(name, axis) or {MODEL_NAME: axis.sources[name].leaves[MODEL_NAME]})
    of_model = settings.pop("model", {})
    return {"name": name, **(of_model if isinstance(of_model, dict) else {}), **settings}


def _describe_questions(name: str, axis: _Axis) -> JsonValue:
    leaves = _take(name, axis)
    path = axis.sources[name].leaves.get(QUESTIONS_FILE)
    if not set(leaves) - {QUESTIONS_FILE} and isinstance(path, str):
        return path
    return {"name": name, "questions_file": path, **unflatten(leaves)}


def _find_cells(sources: Sequence[_Source], axes: tuple[_Axis, _Axis, _Axis], remarks: list[str]) -> set[tuple[str, ...]]:
    """Return the names of each cell that a configuration is."""
    cells: dict[tuple[str, ...], str] = {}
    for source in sources:
        other = cells.setdefault(tuple(axis.find(source) for axis in axes), source.name)
        if other != source.name:
            remarks.append(f"{other} and {source.name} are one cell: they differ in nothing but where their results go")
    return set(cells)


def _list_missing(cells: set[tuple[str, ...]], axes: tuple[_Axis, _Axis, _Axis]) -> list[JsonValue]:
    """Return what `exclude` holds: the combinations that no configuration has."""
    models, questions, conditions = (list(axis.names.values()) for axis in axes)
    missing = [(m, q, c) for m in models for q in questions for c in conditions if (m, q, c) not in cells]
    keys = ["model", *(["questions"] if len(questions) > 1 else []), *(["condition"] if axes[2].paths else [])]
    return [
        {key: name for key, name in zip(("model", "questions", "condition"), each, strict=True) if key in keys}
        for each in missing
    ]
