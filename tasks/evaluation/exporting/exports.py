"""Exporting a run: what each format's file is called, and how it is written. The command and the end of a run come here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.config.export_formats import ExportFormat
from tasks.evaluation.errors import MAKE_ROOM, StorageFailure, UserMistake
from tasks.evaluation.exporting.csv_file import write_csv
from tasks.evaluation.exporting.inspect_log import write_inspect_log
from tasks.evaluation.exporting.jsonl_file import write_jsonl
from tasks.evaluation.exporting.lm_eval_files import export_lm_eval, list_lm_eval_files
from tasks.evaluation.exporting.parquet_file import write_parquet
from tasks.evaluation.exporting.whole_files import write_whole
from tasks.evaluation.reporting.saved_runs import SavedRun, open_saved_run


@dataclass(frozen=True)
class FileFormat:
    """A format that is one file."""

    ending: str
    """How the file's name ends."""
    write: Callable[[SavedRun, BinaryIO], int]
    """Writes the run to the file, and returns the number of questions."""

    def list_files(self, run: SavedRun, path: Path) -> list[Path]:  # noqa: ARG002 - other formats name them after the run
        """Return the files that an export to the path consists of."""
        return [path]

    def export(self, run: SavedRun, path: Path) -> int:
        """Write the run to the path; return the number of questions.

        Raises:
            OSError: it cannot be written.
            UserMistake: the results are damaged, or none of them can be exported.
        """
        counts: list[int] = []

        def write(file: BinaryIO) -> None:
            counts.append(check_count(self.write(run, file), run))

        write_whole(path, write)
        return counts[-1]


@dataclass(frozen=True)
class FolderFormat:
    """A format that is several files in a folder, which is made."""

    ending: str
    """How the folder's name ends."""
    list_files: Callable[[SavedRun, Path], list[Path]]
    """Returns the files that an export to the folder consists of."""
    export: Callable[[SavedRun, Path], int]
    """Writes the run to the folder, and returns the number of questions."""


FORMATS: Mapping[ExportFormat, FileFormat | FolderFormat] = {
    "csv": FileFormat(".csv", write_csv),
    "parquet": FileFormat(".parquet", write_parquet),
    "jsonl": FileFormat(".jsonl", write_jsonl),
    "inspect": FileFormat(".eval", write_inspect_log),
    "lm-eval": FolderFormat(".lm-eval", list_lm_eval_files, export_lm_eval),
}


def check_count(count: int, run: SavedRun) -> int:
    """Return the number of questions written.

    Raises:
        UserMistake: it is zero.
    """
    if not count:
        raise UserMistake(f"nothing to export: no result in {run.path} has a score, or a reason why it has none")
    return count


def name_export(results: Path, to: ExportFormat) -> Path:
    """Return the path of an export that was given no name: that of the results, with the format's ending."""
    return results.with_name(results.name.removesuffix(".gz").removesuffix(".json") + FORMATS[to].ending)


def export_run(run: SavedRun, to: ExportFormat, path: Path, *, overwrite: bool) -> int:
    """Write the run in a format; return the number of questions. The files appear whole or not at all.

    Args:
        run: the run.
        to: the format.
        path: where to; for `lm-eval` a folder, which is made.
        overwrite: replace files of that name.

    Raises:
        UserMistake: the folder is missing, a file is there already, the results are damaged, or there is nothing to export.
        StorageFailure: it cannot be written.
    """
    if not path.parent.is_dir():
        raise UserMistake(f"cannot write {path}: the folder {path.parent} does not exist")
    if isinstance(FORMATS[to], FolderFormat) and path.exists() and not path.is_dir():
        raise UserMistake(f"cannot write {path}: {to} needs a folder, and this is a file; give another name with -o")
    for file in filter(Path.exists, FORMATS[to].list_files(run, path)):
        if file.is_dir() or file.samefile(run.path):
            kind = "a folder" if file.is_dir() else "the file that is read"
            raise UserMistake(f"cannot write {file}: it is {kind}; give another name with -o")
        if not overwrite:
            raise UserMistake(f"{file} exists already: replace it with --overwrite, or give another name with -o")
    try:
        return FORMATS[to].export(run, path)
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror or error}; {MAKE_ROOM}") from error


def export_beside(results: Path, to: ExportFormat) -> Path:
    """Write the results in a format, beside themselves; return the path. An older export of theirs is replaced.

    Raises:
        UserMistake: the results are damaged, or there is nothing to export.
        StorageFailure: it cannot be written.
    """
    path = name_export(results, to)
    export_run(open_saved_run(results), to, path, overwrite=True)
    return path
