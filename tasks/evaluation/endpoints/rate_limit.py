"""The rate at which an endpoint that limits it is asked: found from what it refuses, and from its headers where it sends them.

Nothing is limited until the endpoint has answered 429 (too many requests). Then the rate falls to a little less than what was
let through lately, and rises again: slowly at first, so that a known limit is seldom met, and ever faster, so that a limit that
was lifted is soon forgotten. A number of requests in flight could not do this: how many a second that makes depends on how long
answers take.

Times are seconds of one monotonic clock.
"""

import math
import re
from collections import deque
from collections.abc import Mapping

# What was let through lately: in so many seconds before a refusal; while the rate is searched for, in the last of them.
WINDOW_SECONDS, SHORT_WINDOW_SECONDS = 5.0, 1.0
# The rate after a refusal, as a share of what was let through.
FALL = 0.95
# After t seconds without a refusal the rate has grown by the factor exp(RISE t²): 2.5 % in 10 s, double in 53 s.
RISE = 0.00025
# After the first refusal, which measures little, it grows by exp(SEARCH t) until the second: double in each second.
SEARCH = 0.7
# Refusals of requests that were sent before a refusal was known arrive within this time, and tell nothing new.
SETTLE_SECONDS = 0.25
LOWEST_RATE = 0.2
# A limit is forgotten when the rate could have risen by the factor exp(HIGHEST_RISE), about 1,000: after 3 minutes.
HIGHEST_RISE = 7.0
# With a smaller share than this left of what the headers allow, the rate is that at which it is filled up again.
NEARLY_SPENT = 0.1
# Go durations, as OpenAI writes them: 6m0s, 1.5s, 120ms.
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")


class RateLimit:
    """When the next request may be sent; unlimited as long as nothing was refused."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._rate_since = 0.0
        self._is_searching = False
        self._refill_rate: float | None = None
        self._held_until = 0.0
        self._next_turn = 0.0
        self._sent: deque[float] = deque()
        self._refused: deque[float] = deque()
        self._first_sent: float | None = None
        self._limited_at: float | None = None

    @property
    def is_limited(self) -> bool:
        """Whether requests have to wait for their turn."""
        return self._rate is not None or self._limited_at is not None or self._refill_rate is not None

    def seconds_until_turn(self, now: float) -> float:
        """How long the next request has to wait; 0: none."""
        return max(self._held_until - now, self._next_turn - now, 0.0)

    def take_turn(self, now: float) -> None:
        """Note that a request is sent now."""
        self._fall_if_limited()
        self._rate = self._rate if self._risen_rate(now) is not None else None
        rate = self.rate_at(now)
        if rate is not None:
            # A turn that was taken late is made up for, within the settling time.
            self._next_turn = max(self._next_turn, now - SETTLE_SECONDS) + 1 / rate
        self._first_sent = now if self._first_sent is None else self._first_sent
        self._sent.append(now)
        self._drop_old(now)

    def rate_at(self, now: float) -> float | None:
        """Requests a second; None: as many as there are."""
        rates = (self._refill_rate, self._risen_rate(now))
        return min((rate for rate in rates if rate is not None), default=None)

    def _risen_rate(self, now: float) -> float | None:
        """The rate since the last refusal, as far as it has risen by now."""
        if self._rate is None:
            return None
        seconds = max(now - self._rate_since, 0.0)
        rise = SEARCH * seconds if self._is_searching else RISE * seconds**2
        return self._rate * math.exp(rise) if rise < HIGHEST_RISE else None

    def note_rate_limited(self, now: float, sent_at: float, retry_after_seconds: float) -> None:
        """Note that a request was refused because there were too many; nothing is sent before the time that was asked for."""
        self._refused.append(sent_at)
        self._held_until = max(self._held_until, now + max(retry_after_seconds, SETTLE_SECONDS))
        if self._limited_at is None and (self._rate is None or sent_at >= self._rate_since):
            self._limited_at = now

    def note_headers(self, headers: Mapping[str, str], tokens: int) -> None:
        """Take up what a reply's `x-ratelimit-*` headers say of requests, and of tokens at so many a request.

        Source: https://platform.openai.com/docs/guides/rate-limits (limit, remaining, and the time until all of it is there).
        """
        refills = [_read_refill(headers, "requests", 1), _read_refill(headers, "tokens", max(tokens, 1))]
        self._refill_rate = min((refill for refill in refills if refill is not None), default=None)

    def _fall_if_limited(self) -> None:
        """Set the rate by what was let through before the last refusal, once all that was sent until then has come back."""
        if self._limited_at is None or self._first_sent is None:
            return
        limited_at, self._limited_at = self._limited_at, None
        window = SHORT_WINDOW_SECONDS if self._is_searching else WINDOW_SECONDS
        sent, refused = (sum(at >= limited_at - window for at in times) for times in (self._sent, self._refused))
        let_through = (sent - refused) / max(min(window, limited_at - self._first_sent), SHORT_WINDOW_SECONDS)
        before = self.rate_at(limited_at)
        # Where nothing was let through there is nothing to go by: the limit is what it was, another one, or none.
        self._is_searching = before is None or not let_through
        self._rate = max(FALL * min(let_through, let_through if before is None else before), LOWEST_RATE)
        self._rate_since = self._next_turn = self._held_until

    def _drop_old(self, now: float) -> None:
        for times in (self._sent, self._refused):
            while times and times[0] < now - 2 * WINDOW_SECONDS:
                times.popleft()


def read_duration(text: str) -> float | None:
    """The seconds of a duration such as `6m0s`, `120ms` or `7`; None when it is none."""
    if text.isdecimal():
        return float(text)
    found = DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _read_refill(headers: Mapping[str, str], kind: str, cost: int) -> float | None:
    """The requests a second at which a nearly spent allowance is filled up; None when it is not, or nothing is said."""
    try:
        limit = float(headers[f"x-ratelimit-limit-{kind}"])
        remaining = float(headers[f"x-ratelimit-remaining-{kind}"])
    except (KeyError, ValueError):
        return None
    seconds = read_duration(headers.get(f"x-ratelimit-reset-{kind}", ""))
    if not seconds or not 0 <= remaining < NEARLY_SPENT * limit:
        return None
    return max((limit - remaining) / seconds / cost, LOWEST_RATE)
