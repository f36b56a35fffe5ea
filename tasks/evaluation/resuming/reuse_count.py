"""How much of a checkpoint or log was reused."""

from dataclasses import dataclass


@dataclass
class Reuse:
    """Counts for a checkpoint or log: finished askings, answers that await a grade, and questions that are asked again."""

    finished: int = 0
    answers: int = 0
    asked_again: int = 0

    def __add__(self, other: "Reuse") -> "Reuse":
        return Reuse(self.finished + other.finished, self.answers + other.answers, self.asked_again + other.asked_again)

    @property
    def is_any(self) -> bool:
        """Return True if anything was reused."""
        return bool(self.finished or self.answers)
