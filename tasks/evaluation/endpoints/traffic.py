"""What one run has sent to an address, and what has come back."""

from dataclasses import dataclass

from tasks.evaluation.spending.tokens import Role


@dataclass
class Traffic:
    """Counts of one address, for the role that it was asked for."""

    role: Role
    """What it was asked for."""
    url: str
    """The address, without what may be secret in it."""
    requests: int = 0
    """The requests that were sent."""
    failures: int = 0
    """Those of them that brought neither an answer nor a refusal, those that it put off included."""
    replies: int = 0
    """Those that brought an answer."""
    seconds: float = 0.0
    """What these have taken together."""

    @property
    def mean_seconds(self) -> float | None:
        """Return how long a reply takes; None if none has come."""
        return self.seconds / self.replies if self.replies else None


def describe_latency(traffic: Traffic) -> str:
    """Return how long a reply takes, in words."""
    seconds = traffic.mean_seconds
    if seconds is None:
        return "no reply"
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
