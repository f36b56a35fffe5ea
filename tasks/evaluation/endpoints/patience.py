"""How long to wait for an endpoint, and how often to ask it again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """Limits on waiting for one endpoint. The first two are settings; tests shorten the others."""

    request_timeout_seconds: float
    """How long one request may take, from its connection to the last byte of its reply."""

    max_outage_seconds: float
    """How long nothing at all may get through before the run stops."""

    attempts: int = 8
    """How often one question is asked while others get through; as many failures in a row begin an outage."""

    first_pause_seconds: float = 0.5
    """The pause after a first failure. Each further pause is twice as long, and up to a quarter shorter at random."""

    longest_pause_seconds: float = 8.0
    """The longest of these pauses."""

    longest_asked_seconds: float = 30.0
    """The longest pause that a failed endpoint can ask for: it may ask for an hour and be back in a minute."""

    probe_seconds: float = 1.0
    """The pause before each attempt while nothing gets through."""

    look_again_seconds: float = 30.0
    """After how long one of several addresses is tried again that would stop a run if it were alone: a wrong key, say."""

    connect_seconds: float = 5.0
    """How long a connection may take."""

    look_seconds: float = 5.0
    """How long to wait before the first question for an endpoint that cannot be reached: it may just be starting."""

    list_seconds: float = 7.0
    """How long to wait for the list of models: longer than for a connection, to tell a slow list from a firewall."""

    reread_seconds: float = 10.0
    """How often a file of addresses is read again."""

    settle_seconds: float = 1.0
    """How long a file of addresses must look the same before a change counts."""

    def choose_pause(self, failures: int, asked_seconds: float) -> float:
        """Return how many seconds to wait after a question's failures; the endpoint may have asked for more."""
        longest = min(self.first_pause_seconds * 2.0 ** (failures - 1), self.longest_pause_seconds)
        pause_seconds = longest * random.uniform(0.75, 1.0)  # noqa: S311 - spreads requests, guards no secret
        return max(pause_seconds, min(asked_seconds, self.longest_asked_seconds))
