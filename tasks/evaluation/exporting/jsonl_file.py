"""Results as JSON Lines: each question's record on a line, exactly as the results file holds it."""

from typing import BinaryIO

from tasks.evaluation.json_lines import to_line
from tasks.evaluation.reporting.saved_runs import SavedRun


def write_jsonl(run: SavedRun, file: BinaryIO) -> int:
    """Write each record as a line; return the number of records.

    Raises:
        OSError: they cannot be written.
        UserMistake: the results are damaged.
    """
    count = 0
    for record in run.read_records():
        file.write(to_line(record) + b"\n")
        count += 1
    return count
