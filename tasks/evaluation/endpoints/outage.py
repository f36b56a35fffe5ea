"""An outage: what happens while nothing gets through to an endpoint.

It begins when as many requests in a row have failed as one question may. Then all wait, and one after another tries its own
question, so that a single question which the endpoint cannot handle does not speak for all. The first reply ends the outage.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.errors import EndpointFailure, EndpointStop, RateLimited

# Shorter waits are not worth a line.
LONG_WAIT_SECONDS = 10.0
# After so long without a reply, an endpoint is waited for, though its failures are too few or too slow for an outage.
SILENT_SECONDS = 30.0
OTHERS_GO_ON = "the other addresses take its share"


@dataclass(frozen=True)
class Waiting:
    """A wait for an endpoint that gives no replies."""

    role: str
    """Its role."""
    seconds: float
    """How long nothing has got through."""
    reason: str
    """Its last failure, without its name."""


class Outage:
    """Keeps track of whether one endpoint is out. To be used on one event loop only.

    Args:
        role: the endpoint's role, for messages.
        patience: how many failures in a row begin it, how long it may last, and how often it is probed.
        notify: takes what the user should know.
        place: the address, if the model may have others too; else empty.
        has_others: returns True if another one is asked meanwhile.
    """

    def __init__(
        self,
        role: str,
        patience: Patience,
        notify: Callable[[str], None],
        place: str = "",
        has_others: Callable[[], bool] = lambda: False,
    ) -> None:
        self._role = role
        self._place = place and f" at {place}"
        self._has_others = has_others
        self._patience = patience
        self._notify = notify
        self._failures_in_a_row = 0
        self._silent_since: float | None = None
        self._is_told = False
        self._waits_until = 0.0
        self._last_failure = ""
        self._probes = asyncio.Lock()

    @property
    def goes_on(self) -> bool:
        """Return True while nothing gets through."""
        return self._failures_in_a_row >= self._patience.attempts

    @property
    def waiting(self) -> Waiting | None:
        """Return the wait for the endpoint, if it is waited for; may be read in any thread."""
        now, since = time.monotonic(), self._silent_since
        if since is None or not (self.goes_on or now < self._waits_until or now - since >= SILENT_SECONDS):
            return None
        return Waiting(self._role, now - since, self._last_failure.removeprefix(f"the {self._role} "))

    @property
    def is_too_long(self) -> bool:
        """Return True if nothing has got through, or will, for longer than `max_outage_seconds`."""
        longest, now, since = self._patience.max_outage_seconds, time.monotonic(), self._silent_since
        is_over = since is not None and now - since > longest and (self.goes_on or longest > 0)
        return is_over or self._waits_until - now > longest

    def begin(self, failure: EndpointFailure) -> None:
        """Note that the endpoint is out from its first request on."""
        self._failures_in_a_row = self._patience.attempts
        self._last_failure = str(failure)
        self._is_told = True
        self._measure_silence()

    async def wait_for_turn(self) -> None:
        """Return at once; during an outage, wait until it is over or it is the caller's turn to try."""
        while self.goes_on:
            async with self._probes:
                if self.goes_on:
                    await asyncio.sleep(self._patience.probe_seconds)
                    return

    def note_reply(self) -> None:
        """Note that the endpoint has answered, even if only to decline this question."""
        self._failures_in_a_row = 0
        self._silent_since = None
        if self._is_told:
            self._is_told = False
            self._notify(f"The {self._role}{self._place} answers again")

    def note_failure(self, failure: EndpointFailure) -> EndpointStop | None:
        """Note that a request has failed; return the error that ends the run if nothing has got through for too long.

        An outage is reported once, when the first attempt in it has failed.
        """
        self._failures_in_a_row += 1
        self._last_failure = str(failure)
        silent_seconds = self._measure_silence()
        # If each failure takes minutes, the time may run out before there are enough failures to begin an outage.
        if silent_seconds > self._patience.max_outage_seconds and (self.goes_on or self._patience.max_outage_seconds > 0):
            return EndpointStop(f"nothing got through for {self._patience.max_outage_seconds:,.0f} s: {failure}")
        if self.goes_on and not self._is_told and silent_seconds >= self._patience.probe_seconds:
            self._is_told = True
            self._notify(self._describe_beginning(failure))
        return None

    def note_put_off(self, failure: RateLimited) -> EndpointStop | None:
        """Note that a request was rate limited; return the error that ends the run if that goes on for too long."""
        self._last_failure = str(failure)
        silent_seconds = max(self._measure_silence(), failure.retry_after_seconds)
        now = time.monotonic()
        if silent_seconds > self._patience.max_outage_seconds:
            if failure.retry_after_seconds > self._patience.max_outage_seconds:
                self._waits_until = now + failure.retry_after_seconds
            return EndpointStop(
                f"the {self._role} asks to wait for {silent_seconds:,.0f} s, longer than max_outage_seconds: {failure}"
            )
        if failure.retry_after_seconds >= LONG_WAIT_SECONDS and now >= self._waits_until:
            # The other requests in flight bring the same message.
            self._waits_until = now + failure.retry_after_seconds
            self._notify(f"⚠️ The {self._role} asks to wait for {failure.retry_after_seconds:,.0f} s: {failure}")
        return None

    def _describe_beginning(self, failure: EndpointFailure) -> str:
        waits = f"waiting for {self._patience.max_outage_seconds:,.0f} s at most"
        return f"⚠️ Nothing gets through{self._place}, {OTHERS_GO_ON if self._has_others() else waits}: {failure}"

    def _measure_silence(self) -> float:
        """Return how long nothing has got through, in seconds."""
        now = time.monotonic()
        self._silent_since = now if self._silent_since is None else self._silent_since
        return now - self._silent_since
