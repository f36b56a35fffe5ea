"""An address beside others of the same model: how much it has to do, and whether it is left alone."""

from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.errors import EvaluationError


class Member:
    """An address beside others.

    `is_looked_at` is true while the one request is in flight that is to tell whether an address answers again.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.weight = address.endpoint.weight
        self.in_flight = 0
        self.turn = 0
        self.lost: EvaluationError | None = None
        self.is_looked_at = False
        self.look_at = 0.0
        self.contradictions = 0

    @property
    def is_out(self) -> bool:
        """Return True if it gets nothing but looks."""
        return self.lost is not None or self.address.outage.goes_on

    @property
    def is_given_up(self) -> bool:
        """Return True if a run with this address alone would have been stopped."""
        return self.lost is not None or self.address.outage.is_too_long

    @property
    def shown_url(self) -> str:
        """Return its address for messages."""
        return self.address.endpoint.shown_url
