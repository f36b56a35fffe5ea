"""How fast questions get done now, which is not how fast they did on average since the run began."""

from collections import deque

WINDOW_SECONDS = 60.0


class Pace:
    """The rate over the last minute, from counts that are noted now and then.

    Args:
        done: the questions that are done already.
        now: the time, in seconds on any clock.
    """

    def __init__(self, done: int, now: float) -> None:
        self._noted = deque([(now, done)])

    def measure(self, done: int, now: float) -> float:
        """Note how many questions are done; return how many got done in a second, of late."""
        self._noted.append((now, done))
        while len(self._noted) > 2 and now - self._noted[1][0] >= WINDOW_SECONDS:
            self._noted.popleft()
        first, before = self._noted[0]
        return (done - before) / (now - first) if now > first else 0.0

    def restart(self, done: int, now: float) -> None:
        """Forget what was noted: nothing moves, and what moved before says nothing of what comes."""
        self._noted = deque([(now, done)])
