"""Markdown for reports: tables, and texts of others, which may hold any markup and must show it."""

import re
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence

from tasks.evaluation.reporting.directions import drop_directions

# Lines of a text that is shown as it is are broken here, because viewers do not break them.
TEXT_WIDTH = 100
# A cell's longest text.
MOST_CHARACTERS = 300


def write_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the rows, each a mapping from heading to text, as a table. There must be one at least."""
    cells = [[escape(shorten(text, MOST_CHARACTERS)) for text in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [rows[0], ["---"] * len(rows[0]), *cells])


def write_aligned_table(rows: Sequence[Mapping[str, str]], texts: Collection[str]) -> str:
    """Return the rows as a table whose columns are aligned in a terminal as well. There must be one at least.

    Args:
        rows: each a mapping from heading to text.
        texts: the headings of columns that hold text, and begin at the left; all others hold numbers, and end at the right.
    """
    columns = [[heading, *(escape(shorten(row[heading], MOST_CHARACTERS)) for row in rows)] for heading in rows[0]]
    aligned = [_align(column, is_text=column[0] in texts) for column in columns]
    return "\n".join(f"| {' | '.join(line)} |" for line in zip(*aligned, strict=True))


def _align(column: Sequence[str], *, is_text: bool) -> list[str]:
    """Return the column's cells with one width, and with the mark for its alignment below the heading."""
    width = max(3, *map(len, column))
    mark = f":{'-' * (width - 1)}" if is_text else f"{'-' * (width - 1)}:"
    heading, *cells = (f"{cell:{'<' if is_text else '>'}{width}}" for cell in column)
    return [heading, mark, *cells]


def write_list(entries: Iterable[str]) -> str:
    """Return the entries as a list with bullets."""
    return "\n".join(f"- {escape(entry)}" for entry in entries)


def write_literally(text: str) -> str:
    """Return the text as a block that shows it as it is, whatever it holds, with its long lines broken."""
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, TEXT_WIDTH, drop_whitespace=False) or [""]]
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return "\n".join([fence, *lines, fence])


def shorten(text: str, most: int) -> str:
    """Return the text, cut off after this many characters."""
    return text if len(text) <= most else f"{text[:most]} …"


def escape(text: str) -> str:
    """Return the text on one line, with all that Markdown or HTML would read as markup made harmless."""
    line = " ".join(drop_directions(text).split()).replace("&", "&amp;")
    # A tag begins right behind its sign: `p < 0.05` stays readable in a terminal.
    return re.sub(r"([\\`*_~\[\]|#])", r"\\\1", re.sub("<(?! )", "&lt;", line))
