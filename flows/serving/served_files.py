"""What the run form can offer from the folder in which `mcqa serve` was called: configurations, suites, questions, models.

Only what could be meant: YAML files with our settings, and files of records that are neither results nor checkpoints. What
cannot be read or named is left out, since any other path can be typed. The search is bounded in depth, in number and in what is
read of a file, so that a home folder or a full disk costs seconds at most.
"""

import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import JsonValue

from tasks.evaluation.config.config import Model
from tasks.evaluation.config.model_servers import list_model_servers
from tasks.evaluation.config.paths import expand_input
from tasks.evaluation.config.yaml_files import read_yaml
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.questions.columns import QUESTION_NAMES
from tasks.evaluation.storage.layout import OWN_FOLDER

DEFAULT_SERVERS = str(Model.model_fields["model_config_file"].default)
DEEPEST, MOST_NAMES, MOST_READ, MOST_OFFERED = 3, 20_000, 500, 100
LARGEST_CONFIG_BYTES, HEAD_BYTES = 1 << 18, 1 << 16
CONFIG_SUFFIXES = (".yaml", ".yml")
JSON_SUFFIXES, LINES_SUFFIXES, TABLE_SUFFIXES = (".json",), (".jsonl", ".ndjson"), (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet",)
FOREIGN_FOLDERS = {"node_modules", "site-packages", "__pycache__"}
# A folder with one of these is a Python environment, or belongs to checkpoints.
MARKS_OF_FOREIGN = {"pyvenv.cfg", OWN_FOLDER}
# Names that only results, checkpoints and other files with answers have, ours and the original scorer's.
OF_RESULTS = re.compile(r"model_answer|completed_count|completed_indices|evaluation_metadata|evaluation\.score|\"resps\"")
# What a run writes beside its results: its settings as they were.
COPY_OF_SETTINGS = re.compile(r"_config_.+_\d{8}_\d{6}\.yaml$")
LIST_OF_OBJECTS = re.compile(r"\s*\[\s*\{")
OBJECT_OF_QUESTIONS = re.compile(rf"\s*\{{.*\"(?:questions|{'|'.join(QUESTION_NAMES)})\"\s*:", re.DOTALL | re.IGNORECASE)
TABLE = re.compile(r"[^\n]*[,;\t|]")
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"


@dataclass(frozen=True)
class ServedFiles:
    """What lies in a folder, as paths and names that a run there understands."""

    configs: tuple[str, ...] = ()
    """Files of settings."""
    questions: tuple[str, ...] = ()
    """Files of questions."""
    models: tuple[str, ...] = ()
    """Short names in the model servers files that these settings name."""
    suites: tuple[str, ...] = ()
    """Suite files."""

    def __str__(self) -> str:
        """Return what there is, for the terminal."""
        counts = (len(self.configs), "configuration"), (len(self.questions), "questions file"), (len(self.models), "model")
        suites = ((len(self.suites), "suite"),) if self.suites else ()
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in (*counts, *suites))


def find_served_files(folder: Path) -> ServedFiles:
    """Return what lies in the folder and a few levels below; what is nearest comes first."""
    paths = sorted(islice(_walk(folder), MOST_NAMES), key=lambda path: (path.count("/"), path.casefold()))
    named = [path for path in paths if _is_nameable(path)]
    written = [path for path in named if not COPY_OF_SETTINGS.search(path)]
    yaml_files = {path: _read_small(folder / path) for path in _choose(written, CONFIG_SUFFIXES)}
    settings = {path: read for path, content in yaml_files.items() if (read := _find_servers_file(content)) is not None}
    records = (*JSON_SUFFIXES, *LINES_SUFFIXES, *TABLE_SUFFIXES, *PARQUET_SUFFIXES)
    questions = (path for path in _choose(named, records) if _may_be_questions(folder / path))
    models = [name for servers, beside in _list_servers(folder, settings) for name in _read_models(servers, beside)]
    return ServedFiles(
        configs=tuple(settings)[:MOST_OFFERED],
        questions=tuple(islice(questions, MOST_OFFERED)),
        models=tuple(dict.fromkeys(models))[:MOST_OFFERED],
        suites=tuple(path for path, content in yaml_files.items() if _is_suite(content))[:MOST_OFFERED],
    )


def _walk(folder: Path) -> Iterator[str]:
    """Yield the paths of the files in the folder, relative to it; links to folders are not followed."""
    for parent, folders, files in os.walk(folder):
        where = Path(parent).relative_to(folder)
        if where.parts and MARKS_OF_FOREIGN & {*folders, *files}:
            folders[:] = []
            continue
        deeper = sorted(folders) if len(where.parts) < DEEPEST else []
        folders[:] = [name for name in deeper if not name.startswith(".") and name not in FOREIGN_FOLDERS]
        yield from ((where / name).as_posix() for name in sorted(files) if not name.startswith("."))


def _is_nameable(path: str) -> bool:
    """Return True if the form can show the path, and a run takes it as it stands."""
    try:
        return path.isprintable() and expand_input(path) == path
    except ValueError:
        return False


def _choose(paths: Iterable[str], suffixes: tuple[str, ...]) -> Iterator[str]:
    chosen = (path for path in paths if path.lower().removesuffix(".gz").endswith(suffixes))
    return islice(chosen, MOST_READ)


def _read_small(path: Path) -> Mapping[str, JsonValue]:
    """Return what stands in a YAML file; nothing if it is large, or cannot be read."""
    try:
        return read_yaml(str(path)) if path.is_file() and path.stat().st_size <= LARGEST_CONFIG_BYTES else {}
    except (OSError, UserMistake):
        return {}


def _find_servers_file(content: Mapping[str, JsonValue]) -> str | None:
    """Return the model servers file that these settings name; None if they are none of ours."""
    model = content.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("generator_settings"), dict):
        return None
    return str(model.get("model_config_file") or DEFAULT_SERVERS)


def _is_suite(content: Mapping[str, JsonValue]) -> bool:
    return all(isinstance(content.get(key), list) for key in ("models", "questions"))


def _may_be_questions(path: Path) -> bool:
    try:
        # Anything else, such as a pipe, might never end.
        return path.is_file() and _looks_like_questions(path)
    except (OSError, EOFError, zlib.error):
        return False


def _looks_like_questions(path: Path) -> bool:
    name, head = path.name.lower().removesuffix(".gz"), _read_head(path)
    if head.startswith(PARQUET):
        return name.endswith(PARQUET_SUFFIXES)
    text = head.decode("utf-8-sig", errors="replace")
    if "\0" in text or OF_RESULTS.search(text):
        return False
    if name.endswith(JSON_SUFFIXES):
        return bool(LIST_OF_OBJECTS.match(text) or OBJECT_OF_QUESTIONS.match(text))
    if name.endswith(LINES_SUFFIXES):
        return text.lstrip().startswith("{")
    return name.endswith(TABLE_SUFFIXES) and bool(TABLE.match(text))


def _read_head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.startswith(GZIP):
        return head
    with gzip.open(path) as file:
        return file.read(HEAD_BYTES)


def _list_servers(folder: Path, settings: dict[str, str]) -> list[tuple[str, Path]]:
    """Return each model servers file that the settings name, with the folder of the settings; the default one comes first."""
    named = [(servers, (folder / path).parent) for path, servers in settings.items()]
    return list(dict.fromkeys([(DEFAULT_SERVERS, folder), *named]))


def _read_models(servers: str, beside: Path) -> list[str]:
    try:
        return [name for name in list_model_servers(servers, beside) if name.isprintable()]
    except UserMistake:
        return []
