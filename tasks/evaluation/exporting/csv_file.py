"""Results as CSV: one row a question, for spreadsheets and everything else that reads tables.

RFC 4180 in UTF-8: commas, quotes doubled, lines ended by CR LF; a text may hold line breaks. A byte order mark comes first:
without it Excel reads UTF-8 as an old Windows encoding. The first row names the columns (`flat_records`). A column that is
empty in every question is left out, unless it is one of the first.

**Texts that a spreadsheet would run.** Excel, LibreOffice and Google Sheets take a cell that begins with `=`, `+`, `-`, `@`, a
tab or a line break for a formula, quoted or not, and a formula can send the sheet's content away. Questions and answers come
from others, so such a text gets an apostrophe in front, unless it is a plain number (`-5`). A text that begins with apostrophes
and one of these signs gets another apostrophe, so that removing one restores every text. Parquet and JSON Lines hold every text
as it is.

Changed for good are NUL, which ends a text for many readers, and half a surrogate pair, which has no form in UTF-8: both become
U+FFFD. None and an empty text are both empty.

Source: RFC 4180; OWASP, CSV Injection.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from tasks.evaluation.exporting.flat_records import DEEPEST, Plain, flatten_fields, flatten_record
from tasks.evaluation.exporting.unicode_texts import REPLACEMENT, replace_surrogates
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.reporting.saved_runs import SavedRun

BYTE_ORDER_MARK = "\ufeff"
# What people look at first; these columns are in every file.
FIRST_COLUMNS = ("question_id", "score", "question", "reference_answer", "model_answer", "format", "skipped", "error")
# The groups of columns after the first, in this order; what is in none of them comes last.
GROUPS = ("stem", "choice", "evaluation", "field", "fields")
# Excel has 16,384 columns. Fields that would need more than this are not taken apart.
MOST_FIELD_COLUMNS = 1_000
# Also the full-width forms, which some locales read alike.
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def write_csv(run: SavedRun, file: BinaryIO) -> int:
    """Write the table; return the number of questions.

    The records are read twice: the first time only for the names of the columns.

    Raises:
        OSError: it cannot be written.
        UserMistake: the results are damaged.
    """
    columns, fields_depth = find_columns(run)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    text.write(BYTE_ORDER_MARK)
    writer = csv.writer(text)
    writer.writerow([format_cell(column) for column in columns])
    count = 0
    for record in run.read_records():
        row = flatten_record(record, fields_depth)
        writer.writerow([format_cell(row.get(column)) for column in columns])
        count += 1
    text.detach()
    return count


def find_columns(run: SavedRun) -> tuple[list[str], int]:
    """Return the table's columns, in order, and the depth to which `fields` are taken apart.

    Raises:
        UserMistake: the results are damaged.
    """
    columns = dict.fromkeys(FIRST_COLUMNS)
    by_depth: dict[int, dict[str, None]] = {DEEPEST: {}, 1: {}, 0: {}}
    for record in run.read_records():
        columns |= dict.fromkeys(_list_filled(flatten_record({**record, "fields": None})))
        for depth, names in by_depth.items():
            if len(names) <= MOST_FIELD_COLUMNS:
                names.update(dict.fromkeys(_list_filled(flatten_fields(_read_fields(record), depth))))
    depth = next(depth for depth, names in by_depth.items() if len(names) <= MOST_FIELD_COLUMNS)
    columns |= by_depth[depth]
    return sorted(columns, key=_rank), depth


def _rank(column: str) -> int:
    """Return the place of the column's group; a sort by it keeps the order within a group."""
    group = column.partition(".")[0]
    if column in FIRST_COLUMNS:
        return -1
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


def format_cell(value: Plain) -> str:
    """Return the value as a cell holds it: one that no spreadsheet takes for a formula."""
    if isinstance(value, str):
        text = replace_surrogates(value).replace("\0", REPLACEMENT)
        return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text
    return "" if value is None else json.dumps(value)


def _read_fields(record: JsonObject) -> JsonObject:
    fields = record.get("fields")
    return fields if isinstance(fields, dict) else {}


def _list_filled(row: dict[str, Plain]) -> Iterator[str]:
    return (name for name, value in row.items() if value not in (None, ""))
