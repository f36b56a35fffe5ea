"""Makes reports of runs, and reads their pages back as the script does: the head's words, the data, the index and the texts."""

import base64
import gzip
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.pages.page import write_runs
from tasks.evaluation.pages.texts import ATTEMPT_FIELDS, FIELD_SEPARATOR, RECORD_SEPARATOR
from tasks.evaluation.reporting.saved_runs import open_saved_run
from tests.support.saved_runs import save_results

TYPES = {1: "<u1", 2: "<u2", 4: "<u4"}


@dataclass(frozen=True)
class ReadPage:
    """A page's content."""

    source: str
    """The file."""

    @property
    def head(self) -> str:
        """Return the words that are shown without the script, one space between them."""
        shown = re.sub(r"<style>.*?</style>|<script.*?</script>|<svg.*?</svg>|<[^>]*>", " ", self.source, flags=re.DOTALL)
        return " ".join(html.unescape(shown).replace("\u00a0", " ").split())

    @property
    def data(self) -> dict[str, Any]:
        """Return what the script reads beside the blocks."""
        return dict(json.loads(self._read_element("data")))

    def read_column(self, name: str) -> list[int]:
        """Return a column of the index."""
        content, start = self.read_block("index"), 0
        for column in self.data["columns"]:
            end = start + column["bytes"] * self.data["rows"]
            if column["name"] == name:
                values: list[int] = np.frombuffer(content[start:end], TYPES[column["bytes"]]).tolist()
                return values
            start = end
        raise KeyError(name)

    def read_question(self, row: int) -> list[str]:
        """Return the fields of a row's question."""
        return self._read_fields(row, 0)

    def read_answer(self, row: int, run: int) -> dict[str, str]:
        """Return the fields of a run's first attempt that are not empty."""
        fields = self._read_fields(row, 1 + run)
        return {name: value for name, value in zip(ATTEMPT_FIELDS, fields, strict=False) if value}

    def read_block(self, name: str) -> bytes:
        """Return an unpacked block."""
        return gzip.decompress(base64.b64decode(self._read_element(name)))

    def _read_fields(self, row: int, stream: int) -> list[str]:
        size = int(self.data["block_rows"])
        records = self.read_block(f"texts-{row // size}-{stream}").decode().split(RECORD_SEPARATOR)
        return records[row % size].split(FIELD_SEPARATOR)

    def _read_element(self, name: str) -> str:
        found = re.search(rf'<script type="[a-z/]+" id="{name}">(.*?)</script>', self.source, re.DOTALL)
        assert found, f"the page has no {name}"
        return found[1]


def make_page(folder: Path, *runs: Sequence[JsonObject], group_by: str | None = None) -> ReadPage:
    """Write runs, named a, b and so on, and their page; return what it holds."""
    opened = [
        open_saved_run(save_results(folder / f"{name}.json", records), name)
        for name, records in zip("abcdef", runs, strict=False)
    ]
    return read_page(write_runs(opened, folder / "report.html", group_by=group_by).path)


def read_page(path: Path) -> ReadPage:
    """Return the page's content."""
    return ReadPage(path.read_text(encoding="utf-8"))
