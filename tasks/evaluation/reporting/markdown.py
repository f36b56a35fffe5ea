"""Markdown for reports: tables, and texts of others, which may hold any markup and must show it."""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from tasks.evaluation.reporting.directions import drop_directions

# Lines of a text that is shown as it is are broken here, because viewers do not break them.
TEXT_WIDTH = 100
# A cell's longest text.
MOST_CHARACTERS = 300


def write_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the rows, each a mapping from heading to text, as a table. There must be one at least."""
    cells = [[escape(shorten(text, MOST_CHARACTERS)) for text in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [rows[0], ["---"] * len(rows[0]), *cells])


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
    line = " ".join(drop_directions(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_~\[\]|#])", r"\\\1", line)
