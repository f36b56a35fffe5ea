"""When the next checkpoint is due."""

from dataclasses import dataclass


@dataclass
class SaveClock:
    """Decides when a save is due.

    A save begins once `interval` new results have come and both a second and fifty times the last save's duration have passed
    since the last one ended. So saving takes less than 2 % of the time, however many results there are.

    With `follows_each` it begins at the first new result, but at least a second, and twice the last save's duration, after the
    last one began. So the file is at most a second old while a save takes up to half a second, which is some hundred thousand
    results; beyond that, saving takes half of the time.
    """

    interval: int
    """The number of new results after which a save is due."""
    follows_each: bool = False
    """Whether each new result makes a save due."""
    last_began: float = float("-inf")
    """When the last save began, in monotonic seconds."""
    last_seconds: float = 0.0
    """How long the last save took."""

    def is_due(self, new_results: int, now: float) -> bool:
        """Return True if a save should begin now.

        Args:
            new_results: the number of results that the last save does not hold.
            now: monotonic seconds.
        """
        since_last = now - self.last_began
        if self.follows_each:
            return new_results > 0 and since_last >= max(1.0, 2 * self.last_seconds)
        return new_results >= self.interval and since_last - self.last_seconds >= max(1.0, 50 * self.last_seconds)

    def note(self, began: float, ended: float) -> None:
        """Note when a save began and ended, in monotonic seconds."""
        self.last_began, self.last_seconds = began, ended - began
