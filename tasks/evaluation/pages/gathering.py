"""Everything that a page says, gathered from the runs' files: each is read twice, and no texts are kept in memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from tasks.evaluation.comparing.columns import RunColumns, WantedFields, read_columns, read_lenient
from tasks.evaluation.comparing.comparability import list_doubts
from tasks.evaluation.comparing.comparison import CONFIDENCE, Comparison, compare_runs, find_field, single_out
from tasks.evaluation.comparing.run_figures import ComparedRun, has_chance, measure_run
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.pages.question_rows import QuestionRows, line_up
from tasks.evaluation.pages.run_sheets import RunSheet, read_sheet
from tasks.evaluation.pages.run_statistics import compute_run_statistics
from tasks.evaluation.reporting.directions import drop_directions
from tasks.evaluation.reporting.saved_runs import SavedRun
from tasks.evaluation.statistics.summary import Statistics
from tasks.evaluation.storage.spool import Spool


@dataclass(frozen=True)
class Findings:
    """What the runs' files say."""

    runs: tuple[SavedRun, ...]
    """The runs, in the order given."""
    figures: tuple[ComparedRun, ...]
    """Each run's accuracy and what is missing."""
    statistics: tuple[Statistics, ...]
    """Each run's groups, letters, calibration and repeats."""
    doubts: tuple[str, ...]
    """What keeps the page from being what it seems: other questions, an unfinished run."""
    comparison: Comparison | None
    """The runs beside each other; None for one run."""
    group_by: str | None
    """The field whose values are groups; None without groups."""
    sheets: tuple[RunSheet, ...]
    """Each run's records."""
    rows: QuestionRows
    """Every question of any run."""


def gather(runs: Sequence[SavedRun], spools: Sequence[Spool], *, group_by: str | None = None) -> Findings:
    """Return what the runs' files say.

    Args:
        runs: the runs, each with a name of its own.
        spools: where the texts of each run are kept meanwhile.
        group_by: the field whose values are groups; None: the first that the runs themselves were grouped by.

    Raises:
        UserMistake: a file is damaged, was replaced meanwhile, or of several runs nothing can be compared.
        StorageFailure: the texts cannot be kept.
    """
    with ExitStack() as held:
        for run in runs:
            held.enter_context(_hold(run.path))
        return _read([replace(run, name=drop_directions(run.name)) for run in runs], spools, group_by)


def _read(runs: Sequence[SavedRun], spools: Sequence[Spool], group_by: str | None) -> Findings:
    field = group_by or find_field(runs, "group_by")
    comparison = compare_runs(runs, group_by=group_by) if len(runs) > 1 else None
    columns = comparison.columns if comparison else (_read_alone(runs[0], group_by, field),)
    figures = comparison.runs if comparison else (_measure_alone(runs[0], columns[0]),)
    doubts = comparison.doubts if comparison else tuple(list_doubts(runs, columns, figures, [[len(columns[0])]]))
    sheets = [
        read_sheet(run, len(each) + each.refused + each.unusable, field if each.group_names else None, texts)
        for run, each, texts in zip(runs, columns, spools, strict=True)
    ]
    return Findings(
        runs=tuple(runs),
        figures=figures,
        statistics=tuple(compute_run_statistics(sheet, each) for sheet, each in zip(sheets, columns, strict=True)),
        doubts=doubts,
        comparison=comparison,
        group_by=field if any(each.group_names for each in columns) else None,
        sheets=tuple(sheets),
        rows=line_up(sheets),
    )


@contextmanager
def _hold(path: Path) -> Iterator[None]:
    """Check at the end that the name still leads to the same file: a run that saves gives its checkpoint's name to a new one.

    The file is held open, so that its number on the disk (inode) cannot become that of another.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserMistake(f"cannot read {path}: {error.strerror or error}") from None
    with file:
        yield
        if not _leads_to(path, file):
            raise UserMistake(f"cannot read {path}: it was replaced while it was read, perhaps by a run; repeat the command")


def _leads_to(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _read_alone(run: SavedRun, group_by: str | None, field: str | None) -> RunColumns:
    """Return the scores of the only run; without groups if its own field has too many values to be groups."""
    wanted = WantedFields(field, find_field([run], "cluster_by"), choice_counts=not has_chance(run))
    return read_columns(run, wanted) if group_by else read_lenient(run, wanted)


def _measure_alone(run: SavedRun, columns: RunColumns) -> ComparedRun:
    return measure_run(run, columns, single_out(columns.clusters), confidence=CONFIDENCE)
