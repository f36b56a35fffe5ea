"""The names of the runs that are held against each other: as given, else by model, and made unique."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tasks.evaluation.config.paths import expand_path
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run, read_setting

# Of a time such as 2026-11-26T09:30:00.123456, what tells two runs apart and can be read.
MINUTE_CHARACTERS = len("2026-11-26T09:30")


def open_named_runs(arguments: Sequence[str]) -> list[SavedRun]:
    """Return the runs in the files that are given as `NAME=PATH` or `PATH`, each under a name of its own.

    A run without a given name is called by its model; those that share a model, by model and questions file, else by model and
    time, else by model and number.

    Raises:
        UserMistake: a file cannot be read, or two runs are given the same name.
    """
    named = [_split(argument) for argument in arguments]
    given = [name for name, _ in named if name]
    repeated = [name for name, count in Counter(given).items() if count > 1]
    if repeated:
        raise UserMistake(f"two runs are called {repeated[0]!r}: give each a name of its own")
    runs = [open_saved_run(Path(path), name) for name, path in named]
    unnamed = [run for run, (name, _) in zip(runs, named, strict=True) if not name]
    names = iter(_name_apart(unnamed, given))
    return [run if name else replace(run, name=next(names)) for run, (name, _) in zip(runs, named, strict=True)]


def _split(argument: str) -> tuple[str, str]:
    """Return the name, empty if none is given, and the path; an existing file's path may hold `=` itself."""
    name, equals, path = argument.partition("=")
    if not equals or not name or _exists(argument):
        name, path = "", argument
    try:
        return name, expand_path(path)
    except ValueError as error:
        raise UserMistake(str(error)) from None


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long, or with a null character
        return False


def _name_apart(runs: Sequence[SavedRun], taken: Sequence[str]) -> list[str]:
    """Return a name for each run that neither another has nor is taken."""
    names = [run.name for run in runs]
    for describe in (_name_questions, _name_minute):
        names = _add_where_shared(names, taken, [describe(run) for run in runs])
    return _number_where_shared(names, taken)


def _add_where_shared(names: Sequence[str], taken: Sequence[str], additions: Sequence[str]) -> list[str]:
    """Return the names, with the addition to those that are shared if that makes all of these differ."""
    counts = Counter([*names, *taken])
    tried = [f"{name} ({more})" if more and counts[name] > 1 else name for name, more in zip(names, additions, strict=True)]
    tried_counts = Counter([*tried, *taken])
    is_apart = dict.fromkeys(names, True)
    is_apart |= {name: False for name, new in zip(names, tried, strict=True) if tried_counts[new] > 1}
    return [new if is_apart[name] else name for name, new in zip(names, tried, strict=True)]


def _number_where_shared(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    counts, used, numbered = Counter([*names, *taken]), {*names, *taken}, []
    for name in names:
        number, candidate = 1, name
        while counts[name] > 1 and candidate in used:
            candidate, number = f"{name} ({number})", number + 1
        used.add(candidate)
        numbered.append(candidate)
    return numbered


def _name_questions(run: SavedRun) -> str:
    return Path(run.questions_file).name.partition(".")[0]


def _name_minute(run: SavedRun) -> str:
    started = read_setting(run.metadata, "evaluation_metadata", "timestamp")
    return started[:MINUTE_CHARACTERS].replace("T", " ") if isinstance(started, str) else ""
