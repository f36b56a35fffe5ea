"""The rate of requests to an endpoint that limits it: found from its 429s, and from its headers if it sends them.

Nothing is limited until the endpoint has answered 429 (too many requests). Then the rate falls to a little less than what was
recently let through, and rises again: slowly at first, so that a known limit is seldom met, and ever faster, so that a limit
that was lifted is soon forgotten. Limiting the requests in flight would not do, because how many a second that makes depends on
how long answers take.

Times are seconds of one monotonic clock.
"""

import math
import re
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# "Recently let through" means in these seconds before a 429; the shorter window is used while the rate is searched for.
WINDOW_SECONDS, SHORT_WINDOW_SECONDS = 5.0, 1.0
# The rate after a 429, as a share of what was let through.
FALL = 0.95
# After t seconds without a 429 the rate has grown by the factor exp(RISE t²): 2.5 % in 10 s, double in 53 s.
RISE = 0.00025
# After the first 429, which measures little, it grows by exp(SEARCH t) until the second: double in each second.
SEARCH = 0.7
# The 429s of requests that were sent before the first was known arrive within this time, and tell nothing new.
SETTLE_SECONDS = 0.25
LOWEST_RATE = 0.2
# A limit is forgotten when the rate could have risen by the factor exp(HIGHEST_RISE), about 1,000: after 3 minutes.
HIGHEST_RISE = 7.0
# If less than this share of an allowance in the headers is left, requests are sent at the rate at which it refills.
NEARLY_SPENT = 0.1
# Go durations, as OpenAI writes them: 6m0s, 1.5s, 120ms.
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
# Smaller numbers are seconds to wait; both stand for 9 September 2001.
FIRST_UNIX_SECONDS, FIRST_UNIX_MILLISECONDS = 1e9, 1e12
# An allowance that takes longer to refill sets no rate: what is left of it is used, and then a 429 says how long to wait.
LONGEST_RESET_SECONDS = 600.0


class RateLimit:
    """Decides when the next request may be sent; unlimited until a request is rate limited."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._rate_since = 0.0
        self._is_searching = False
        self._refill_rate: float | None = None
        self._held_until = 0.0
        self._next_turn = 0.0
        self._sent: deque[float] = deque()
        self._limited: deque[float] = deque()
        self._first_sent: float | None = None
        self._limited_at: float | None = None

    @property
    def is_limited(self) -> bool:
        """Return True if requests have to wait for their turn."""
        return self._rate is not None or self._limited_at is not None or self._refill_rate is not None

    def seconds_until_turn(self, now: float) -> float:
        """Return how many seconds the next request has to wait; 0 if it may be sent now."""
        return max(self._held_until - now, self._next_turn - now, 0.0)

    def take_turn(self, now: float) -> None:
        """Note that a request is sent now."""
        if self.is_limited:
            self._take_limited_turn(now)
        self._first_sent = now if self._first_sent is None else self._first_sent
        self._sent.append(now)
        self._drop_old(now)

    def _take_limited_turn(self, now: float) -> None:
        self._fall_if_limited()
        self._rate = self._rate if self._risen_rate(now) is not None else None
        rate = self.rate_at(now)
        if rate is not None:
            # A turn that was taken late is made up for, within the settling time.
            self._next_turn = max(self._next_turn, now - SETTLE_SECONDS) + 1 / rate

    def rate_at(self, now: float) -> float | None:
        """Return the allowed requests a second; None if unlimited."""
        rates = (self._refill_rate, self._risen_rate(now))
        return min((rate for rate in rates if rate is not None), default=None)

    def _risen_rate(self, now: float) -> float | None:
        """Return the rate since the last 429, as far as it has risen by now."""
        if self._rate is None:
            return None
        seconds = max(now - self._rate_since, 0.0)
        rise = SEARCH * seconds if self._is_searching else RISE * seconds**2
        return self._rate * math.exp(rise) if rise < HIGHEST_RISE else None

    def note_rate_limited(self, now: float, sent_at: float, retry_after_seconds: float) -> None:
        """Note that a request was rate limited; nothing is sent during the time that the endpoint asks to wait."""
        self._limited.append(sent_at)
        self._held_until = max(self._held_until, now + max(retry_after_seconds, SETTLE_SECONDS))
        if self._limited_at is None and (self._rate is None or sent_at >= self._rate_since):
            self._limited_at = now

    def note_headers(self, headers: Mapping[str, str], tokens: int, *, now_seconds: float) -> None:
        """Take up what a reply's `x-ratelimit-*` headers say about requests, and about tokens if one request costs this many.

        `now_seconds` is the time of day in seconds since 1970.

        Source: https://platform.openai.com/docs/guides/rate-limits (limit, remaining, and the time until all of it is there).
        """
        kinds = (("requests", 1), ("tokens", max(tokens, 1)))
        refills = [_read_refill(headers, kind, cost, now_seconds) for kind, cost in kinds]
        self._refill_rate = min((refill for refill in refills if refill is not None), default=None)

    def _fall_if_limited(self) -> None:
        """Set the rate by what was let through before the last 429, once all that was sent until then has come back."""
        if self._limited_at is None or self._first_sent is None:
            return
        limited_at, self._limited_at = self._limited_at, None
        window = SHORT_WINDOW_SECONDS if self._is_searching else WINDOW_SECONDS
        sent, limited = (sum(at >= limited_at - window for at in times) for times in (self._sent, self._limited))
        let_through = (sent - limited) / max(min(window, limited_at - self._first_sent), SHORT_WINDOW_SECONDS)
        before = self.rate_at(limited_at)
        # If nothing was let through, nothing was measured: the limit may be unchanged, new or gone.
        self._is_searching = before is None or not let_through
        self._rate = max(FALL * min(let_through, let_through if before is None else before), LOWEST_RATE)
        self._rate_since = self._next_turn = self._held_until

    def _drop_old(self, now: float) -> None:
        for times in (self._sent, self._limited):
            while times and times[0] < now - 2 * WINDOW_SECONDS:
                times.popleft()


def read_reset(text: str, now_seconds: float) -> float | None:
    """Return the seconds until a limit is reset; None if the text names no time.

    Providers give seconds (`7`, `1.5`), a duration as Go writes it (`6m0s`, `120ms`), a Unix time in seconds, milli- or
    microseconds, or a date (ISO 8601, or RFC 9110's). A time in the past counts as 0.
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        duration = _read_duration(text)
        return duration if duration is not None else _read_date(text, now_seconds)
    if not math.isfinite(number) or number < 0:
        return None
    while number >= FIRST_UNIX_MILLISECONDS:
        number /= 1000
    return max(number - now_seconds, 0.0) if number >= FIRST_UNIX_SECONDS else number


def _read_duration(text: str) -> float | None:
    found = DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _read_date(text: str, now_seconds: float) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except ValueError:
            continue
        return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_seconds, 0.0)
    return None


def _read_refill(headers: Mapping[str, str], kind: str, cost: int, now_seconds: float) -> float | None:
    """Return the requests a second at which a nearly spent allowance refills; None if it is not nearly spent, or unknown."""
    name = f"x-ratelimit-limit-{kind}"
    if name not in headers:
        return None
    try:
        limit = float(headers[name])
        remaining = float(headers[f"x-ratelimit-remaining-{kind}"])
    except (KeyError, ValueError):
        return None
    reset = headers.get(f"x-ratelimit-reset-{kind}") or headers.get("x-ratelimit-reset", "")
    seconds = read_reset(reset, now_seconds)
    if not seconds or seconds > LONGEST_RESET_SECONDS or not 0 <= remaining < NEARLY_SPENT * limit:
        return None
    return max((limit - remaining) / seconds / cost, LOWEST_RATE)
