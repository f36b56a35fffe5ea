"""Files that hold what was spent: `{"tokens": 12800, "dollars": 0.41}`."""

from pathlib import Path

from tasks.evaluation.errors import MAKE_ROOM, StorageFailure
from tasks.evaluation.json_lines import from_line, to_line
from tasks.evaluation.spending.amounts import Spending
from tasks.evaluation.storage.durable_files import replace_file, write_bytes, write_durably


def write_spending(path: Path, spending: Spending) -> None:
    """Write the file, in place of an earlier one.

    Raises:
        StorageFailure: it cannot be written.
    """
    # Each file has one writer at a time; the next one replaces what a killed one has left.
    temporary = path.with_suffix(".tmp")
    line = to_line(spending._asdict())
    try:
        write_durably(temporary, lambda descriptor: write_bytes(descriptor, line), replace_file(path))
    except OSError as error:
        raise StorageFailure(f"cannot write {path}: {error.strerror}; {MAKE_ROOM}") from None


def read_spending(path: Path) -> Spending:
    """Return what the file says; nothing if there is none, or if it is damaged."""
    try:
        content = from_line(path.read_bytes())
        tokens, dollars = content["tokens"], content["dollars"]
    except (OSError, ValueError, KeyError, TypeError):
        return Spending()
    is_sound = isinstance(tokens, int) and isinstance(dollars, int | float)
    return Spending(tokens, dollars) if is_sound else Spending()  # type: ignore[arg-type]
