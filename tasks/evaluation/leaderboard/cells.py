"""A cell of a suite: one model, one questions file and one condition, which an ordinary evaluation has asked."""

from dataclasses import dataclass
from pathlib import Path

from tasks.evaluation.reporting.directions import drop_directions


@dataclass(frozen=True)
class CellResult:
    """What a cell's evaluation has left."""

    model: str
    """The model's name."""
    questions: str
    """The questions file, as the suite names it."""
    condition: str
    """The condition, such as a retriever; empty if the suite has none."""
    results_file: Path | None
    """The results; None if there are none."""
    missing: str
    """Why there are no results; empty if there are."""
    checkpoint: Path | None = None
    """The newest checkpoint of a cell that is not finished; None without one."""

    @property
    def name(self) -> str:
        """Return what tells the cell from the others of its questions file: its model, and its condition if it has one."""
        return drop_directions(f"{self.model}/{self.condition}" if self.condition else self.model)

    @property
    def lack(self) -> str:
        """Return why a cell without results cannot be compared, as the rest of a sentence."""
        return "is not finished" if self.checkpoint else "has no results"
