"""The names of the formats that results are exported to, for settings and flags; `exporting/` writes them."""

from typing import Literal, get_args

ExportFormat = Literal["csv", "parquet", "jsonl", "inspect", "lm-eval"]

EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
