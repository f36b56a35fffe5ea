"""An address beside others of the same model: how much it has to do, and whether it is left alone."""

from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.errors import EvaluationError


class Member:
    """An address beside others.

    `is_looked_at` is true while the one request is in flight that is to tell whether an address answers again. `contradictions`
    counts the questions in a row that it has declined and others have answered.

    `is_removed` is true once it is no longer listed: what is still in flight there may end.

    Args:
        address: the address.
        place: the same in the spelling by which it is known.
        is_proven: whether it is known to answer such requests; until then it gets one at a time.
        is_new: whether it was added while others were asked; it is looked at before it gets more.
    """

    def __init__(self, address: Address, place: str, *, is_proven: bool, is_new: bool) -> None:
        self.address = address
        self.place = place
        self.is_proven = is_proven
        self.is_new = is_new
        self.is_removed = False
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
        return self.lost is not None or self.is_new or self.address.outage.goes_on

    @property
    def is_given_up(self) -> bool:
        """Return True if nothing waits for it any more: a run with this address alone would have been stopped."""
        return self.lost is not None or self.address.outage.is_too_long

    @property
    def shown_url(self) -> str:
        """Return its address for messages."""
        return self.address.endpoint.shown_url
