"""The rows of a CSV file as records, whatever a spreadsheet has done to it.

The first row names the columns, unless the settings do. `sep=;` before it names the separator, as Excel writes it. A line of
one cell that begins with `#` is a comment, a row without a word is skipped, and cells missing at a row's end are empty.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from tasks.evaluation.config.fields import Fields
from tasks.evaluation.errors import DamagedFile
from tasks.evaluation.json_lines import JsonValue
from tasks.evaluation.questions.columns import LETTERS, find_columns
from tasks.evaluation.questions.formats import Placed, decode_lines

# A quote that is never closed takes the rest of the file into one cell; a real cell is smaller than this.
LONGEST_CELL = 1 << 24
DELIMITERS = ",;\t|"
NAMED_SEPARATOR = re.compile(r"\"?sep=(.|\\t)\"?\s*", re.IGNORECASE)
# Longer than any column's name.
LONGEST_NAME = 60


def read_csv(source: BinaryIO, fields: Fields) -> Iterator[Placed]:
    """Yield the rows below the one that names the columns; the separator is the sign that is most frequent in that row.

    A cell in quotes may hold line breaks; the place is the line in which a row begins.

    Raises:
        DamagedFile: a row does not fit, or there is no row that names the columns.
    """
    csv.field_size_limit(LONGEST_CELL)
    lines = decode_lines(source)
    first, skipped, separator = _find_first_row(lines)
    separator = separator or max(DELIMITERS, key=first.count)
    rows = csv.reader(chain([first], lines), delimiter=separator, strict=True)
    names = list(fields.columns or [])
    shortest = _count_needed(names, fields)
    line = 1 + skipped
    try:
        for row in rows:
            if not names or (line == 1 + skipped and [cell.strip() for cell in row] == names):
                names = names or _check_header(row, fields)
                shortest = _count_needed(names, fields)
            elif any(cell.strip() for cell in row) and not _is_comment(row, names):
                yield line, _name_cells(names, row, line, shortest)
            line = rows.line_num + 1 + skipped
    except csv.Error as error:
        raise DamagedFile(f"line {line}: this is no row of CSV ({error}); close its quotes, double those in a cell") from None


def _find_first_row(lines: Iterator[str]) -> tuple[str, int, str | None]:
    """Return the first line of the table, how many lines come before it, and the separator if one of those names it."""
    separator: str | None = None
    skipped = 0
    for line in lines:
        named = NAMED_SEPARATOR.fullmatch(line)
        if named:
            separator = "\t" if named[1] == "\\t" else named[1]
        elif line.strip() and not (line.startswith("#") and not any(sign in line for sign in DELIMITERS)):
            return line, skipped, separator
        skipped += 1
    return "", skipped, separator


def _is_comment(row: Sequence[str], names: Sequence[str]) -> bool:
    return len(row) == 1 < len(names) and row[0].startswith("#")


def _check_header(row: Sequence[str], fields: Fields) -> list[str]:
    """Return the columns' names.

    Raises:
        DamagedFile: two are the same, or the row holds no names.
    """
    names = [name.strip() for name in row]
    if find_columns(fields, names).question not in names and _looks_like_entry(names):
        shown = ", ".join(repr(name[:40]) for name in names[:3])
        raise DamagedFile(
            f"it has no header row, for its first row is an entry: {shown}, …; name its columns in the configuration, for "
            "instance `fields: {columns: [question, A, B, C, D, answer]}`"
        )
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise DamagedFile(f"line 1: two columns are called {min(twice)!r}; give each a name of its own")
    return names


def _looks_like_entry(names: Sequence[str]) -> bool:
    """Return True if a first row holds what no column is called: a question, a long text, a number, or a letter at its end."""
    cells = [name for name in names if name]
    is_asking = any(cell.endswith(("?", "\uff1f")) or len(cell) > LONGEST_NAME for cell in cells)
    has_number = len(cells) > 1 and any(cell.replace(".", "", 1).lstrip("-").isdecimal() for cell in cells)
    ends_in_label = len(cells) > 2 and len(cells[-1]) == 1 and cells[-1] in LETTERS and cells[-2] not in LETTERS
    return is_asking or has_number or ends_in_label


def _count_needed(names: Sequence[str], fields: Fields) -> int:
    """Return how many cells a row must have: up to the question and the answer, because a row that was cut has fewer."""
    columns = find_columns(fields, names)
    needed = [names.index(name) + 1 for name in (columns.question, columns.answer) if name in names and name]
    return max(needed, default=len(names))


def _name_cells(names: Sequence[str], row: list[str], line: int, shortest: int) -> JsonValue:
    while len(row) > len(names) and not row[-1].strip():
        row = row[:-1]
    if len(row) > len(names) or len(row) < shortest:
        raise DamagedFile(
            f"line {line}: it has {len(row)} cells, and the first line names {len(names)} columns; "
            "put a cell that holds a separator or a line break into quotes"
        )
    return dict(zip(names, row + [""] * (len(names) - len(row)), strict=True))
