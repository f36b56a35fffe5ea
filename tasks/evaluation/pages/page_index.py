"""The page's index: what filters, sorting and the table's verdicts need of every question, in a few bytes each.

The columns stand one after the other, each as an array of little-endian numbers with a value for each row:

    number  4 bytes    the question's number
    group   2 bytes    the place of its group; NO_GROUP without one
    home    1 byte     the run that numbers it
    right   1 byte     the place of its right choice's label; NO_LABEL if not exactly one is right
    and for each run, named by its number:
    outcome 1 byte     the score from 0 to FULL_SCORE, or a state (`run_sheets`)
    marks   1 byte     the sum of its marks (`run_sheets`)
    choice  1 byte     the place of the chosen label; NO_LABEL for none and for several
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.pages.question_rows import NOWHERE, QuestionRows
from tasks.evaluation.pages.run_sheets import ABSENT, Bytes, RunSheet
from tasks.evaluation.statistics.arrays import Codes

Labels = np.ndarray[tuple[int], np.dtype[np.int16]]

NO_GROUP, NO_LABEL = 0xFFFF, 0xFF


@dataclass(frozen=True)
class IndexColumn:
    """A value for each row."""

    name: str
    """Its name; the number of a run ends it, if it belongs to one."""
    width: int
    """The bytes of a value."""
    content: bytes
    """The values."""


@dataclass(frozen=True)
class PageIndex:
    """The index, and the names that its columns refer to."""

    columns: tuple[IndexColumn, ...]
    """The columns, in the order above."""
    groups: tuple[str, ...]
    """The groups' names."""
    labels: tuple[str, ...]
    """The labels of choices."""

    def describe(self) -> JsonValue:
        """Return the columns' names and widths."""
        return [{"name": column.name, "bytes": column.width} for column in self.columns]

    def pack(self) -> bytes:
        """Return all columns, one after the other."""
        return b"".join(column.content for column in self.columns)


def build_index(sheets: Sequence[RunSheet], rows: QuestionRows) -> PageIndex:
    """Return the index of the rows."""
    groups = tuple(dict.fromkeys(name for sheet in sheets for name in sheet.group_names))[:NO_GROUP]
    labels = tuple(dict.fromkeys(label for sheet in sheets for label in sheet.scores.key.labels))[:NO_LABEL]
    group = [_recode(sheet.groups, list(sheet.group_names), groups, NO_GROUP) for sheet in sheets]
    right = [_recode_labels(sheet.scores.key.right, sheet, labels) for sheet in sheets]
    shared = (
        _to_column("number", 4, rows.numbers),
        _to_column("group", 2, _take_first(group, rows, NO_GROUP)),
        _to_column("home", 1, rows.homes),
        _to_column("right", 1, _take_first(right, rows, NO_LABEL)),
    )
    own = (column for run, sheet in enumerate(sheets) for column in _list_own(run, sheet, labels, rows.places[:, run]))
    return PageIndex((*shared, *own), groups, labels)


def _list_own(run: int, sheet: RunSheet, labels: Sequence[str], places: Codes) -> Iterator[IndexColumn]:
    """Yield the columns of one run."""
    choices = _recode_labels(sheet.scores.chosen, sheet, labels)
    yield _to_column(f"outcome{run}", 1, _place(sheet.outcomes, places, ABSENT))
    yield _to_column(f"marks{run}", 1, _place(sheet.marks, places, 0))
    yield _to_column(f"choice{run}", 1, _place(choices, places, NO_LABEL))


def _to_column(name: str, width: int, values: Codes) -> IndexColumn:
    return IndexColumn(name, width, values.astype(f"<u{width}").tobytes())


def _recode_labels(codes: Labels, sheet: RunSheet, labels: Sequence[str]) -> Codes:
    return _recode(codes.astype(np.int64), sheet.scores.key.labels, labels, NO_LABEL)


def _recode(codes: Codes, own: Sequence[str], names: Sequence[str], missing: int) -> Codes:
    """Return places in a run's own names as places in the names of all; `missing` for -1 and for any other name."""
    place_of = {name: place for place, name in enumerate(names)}
    table = np.array([*(place_of.get(name, missing) for name in own), missing], dtype=np.int64)
    return table[codes]  # -1 leads to the last


def _place(values: Codes | Bytes, places: Codes, missing: int) -> Codes:
    """Return a run's values by row; `missing` where the run does not have the question."""
    return np.append(values.astype(np.int64), missing)[places]  # NOWHERE leads to the last


def _take_first(values: Sequence[Codes], rows: QuestionRows, missing: int) -> Codes:
    """Return by row the value of the first run that has one."""
    assert NOWHERE == -1, "it is used as an index"
    taken = np.full(len(rows), missing, dtype=np.int64)
    for run, own in enumerate(values):
        taken = np.where(taken == missing, _place(own, rows.places[:, run], missing), taken)
    return taken
