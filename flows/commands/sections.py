"""A command's report in sections, as the terminal and as Markdown show it. Every text in it may come from elsewhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flows.process.terminal import printable

# A name that is longer pushes the numbers off the screen.
LONGEST_CELL = 60
MARKDOWN_SIGNS = re.compile(r"([\\`*_\[\]|~#$!])")


@dataclass(frozen=True)
class Table:
    """Rows under headings."""

    headings: Sequence[str]
    """The columns' headings."""
    rows: Sequence[Sequence[str]]
    """A cell for each heading."""
    texts: frozenset[str] = frozenset()
    """The headings whose columns hold text, and begin at the left; all others hold numbers, and end at the right."""


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    title: str = ""
    """Its title; empty: it has none."""
    table: Table | None = None
    """Its table."""
    lines: Sequence[str] = ()
    """The lines below the table."""


def to_terminal(sections: Sequence[Section]) -> str:
    """Return the report as lines of plain text, with aligned columns."""
    return "\n\n".join(filter(None, map(_to_plain, sections)))


def to_markdown(sections: Sequence[Section]) -> str:
    """Return the report as Markdown: tables and list items, in which nothing from elsewhere is markup."""
    return "\n\n".join(filter(None, map(_to_marked, sections)))


def shorten(text: str, most: int = LONGEST_CELL) -> str:
    """Return the text on one line, cut after this many characters."""
    line = " ".join(text[: 20 * most].split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def shorten_name(name: str, most: int) -> str:
    """Return the name on one line, without its middle if it is longer: models' names differ at both ends."""
    line = " ".join(name.split())
    half = (most - 1) // 2
    return line if len(line) <= most else f"{line[: most - 1 - half]}…{line[-half:]}"


def _to_plain(section: Section) -> str:
    table = _align(section.table) if section.table and section.table.rows else []
    return "\n".join([*([printable(section.title)] if section.title else []), *table, *map(printable, section.lines)])


def _align(table: Table) -> list[str]:
    rows = [list(table.headings), *([printable(cell) for cell in row] for row in table.rows)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    signs = ["<" if heading in table.texts else ">" for heading in table.headings]
    return [
        "  ".join(f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)).rstrip()
        for row in rows
    ]


def _to_marked(section: Section) -> str:
    parts = [f"## {_escape(section.title.removesuffix(':'))}"] if section.title else []
    if section.table and section.table.rows:
        table = section.table
        marks = [":---" if heading in table.texts else "---:" for heading in table.headings]
        rows = [list(map(_escape, table.headings)), marks, *(list(map(_escape, row)) for row in table.rows)]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    if section.lines:
        parts.append("\n".join(f"- {_escape(line)}" for line in section.lines if line))
    return "\n\n".join(parts)


def _escape(text: str) -> str:
    """Return the text on one line, without anything that Markdown or HTML takes for markup."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN_SIGNS.sub(r"\\\1", plain)
