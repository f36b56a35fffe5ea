"""The rate of a limited endpoint is found, used, and seldom exceeded: simulated, so that minutes pass in no time."""

import heapq
import itertools
from dataclasses import dataclass, field

import pytest

from tasks.evaluation.endpoints.rate_limit import RateLimit, read_reset

# What each client does of its own accord after an answer: ask the next question at once.
ANSWER_SECONDS = 0.2
REFUSAL_SECONDS = 0.002
# Seconds since 1970 at noon UTC of 23 November 2026.
NOON = 1_795_435_200.0


@dataclass
class Bucket:
    """A limiter as endpoints have them: `rate` requests a second, `burst_seconds` of them at once; closed until it opens."""

    rate: float
    burst_seconds: float
    opens_at: float = 0.0
    filled_at: float = 0.0
    level: float = field(init=False)

    def __post_init__(self) -> None:
        self.level = max(self.rate * self.burst_seconds, 1.0)

    def lets_through(self, now: float) -> bool:
        """Return True if a request that comes now is answered."""
        full = max(self.rate * self.burst_seconds, 1.0)
        self.level = min(full, self.level + (now - self.filled_at) * self.rate)
        self.filled_at = now
        if self.level < 1 or now < self.opens_at:
            return False
        self.level -= 1
        return True


def simulate(bucket: Bucket, *, workers: int, seconds: float, settled_at: float = 5.0) -> tuple[float, float]:
    """Ask through the limiter, and return the answers a second and the share of refused requests, both after it has settled."""
    limit, numbers = RateLimit(), itertools.count()
    events = [(0.0, next(numbers), "ready", 0.0) for _ in range(workers)]
    waiting, answered, refused, wakes_at = 0, 0, 0, -1.0
    while events and events[0][0] <= seconds:
        now, _, kind, sent_at = heapq.heappop(events)
        answered += kind == "answered" and now > settled_at
        refused += kind == "refused" and now > settled_at
        if kind == "refused":
            limit.note_rate_limited(now, sent_at, retry_after_seconds=1.0)
        waiting += kind != "wake"
        while waiting:
            if limit.is_limited and (pause := limit.seconds_until_turn(now)) > 0:
                if wakes_at <= now:
                    wakes_at = now + pause + 1e-6
                    heapq.heappush(events, (wakes_at, next(numbers), "wake", 0.0))
                break
            limit.take_turn(now)
            waiting -= 1
            is_answered = bucket.lets_through(now)
            ends_at = now + (ANSWER_SECONDS if is_answered else REFUSAL_SECONDS)
            heapq.heappush(events, (ends_at, next(numbers), "answered" if is_answered else "refused", now))
    return answered / (seconds - settled_at), refused / (answered + refused)


@pytest.mark.parametrize("rate", [12.0, 40.0])
@pytest.mark.parametrize("workers", [16, 256])
@pytest.mark.parametrize(("burst_seconds", "least_use"), [(1.0, 0.97), (10.0, 0.97), (0.1, 0.85)])
def test_a_limit_is_used_and_seldom_exceeded(rate: float, workers: int, burst_seconds: float, least_use: float) -> None:
    """At most 5 % of the requests are refused after five seconds, and nearly all of what is permitted is used."""
    answered_per_second, refused_share = simulate(Bucket(rate, burst_seconds), workers=workers, seconds=120)
    assert answered_per_second >= least_use * rate
    assert refused_share <= 0.05


def test_a_limit_is_found_again_after_a_time_when_nothing_is_let_through() -> None:
    """Another user of the same account had spent all of it; that says nothing of the rate from then on."""
    bucket = Bucket(40.0, 1.0, opens_at=10.0)
    answered_per_second, refused_share = simulate(bucket, workers=64, seconds=120, settled_at=25.0)
    assert answered_per_second >= 0.9 * 40
    assert refused_share <= 0.05


def test_an_endpoint_that_limits_nothing_is_not_limited() -> None:
    """Nothing waits."""
    limit = RateLimit()
    limit.take_turn(0.0)
    limit.take_turn(0.0)
    assert not limit.is_limited
    assert limit.rate_at(0.0) is None


def test_a_wait_that_was_asked_for_holds_all_back() -> None:
    """However long it is."""
    limit = RateLimit()
    limit.take_turn(0.0)
    limit.note_rate_limited(0.1, sent_at=0.0, retry_after_seconds=300.0)
    assert limit.seconds_until_turn(0.1) == pytest.approx(300.0)
    assert limit.seconds_until_turn(300.2) == 0.0


def test_a_limit_that_was_lifted_is_forgotten() -> None:
    """The rate rises ever faster while nothing is refused."""
    limit = RateLimit()
    for step in range(40):
        limit.take_turn(step / 40)
    limit.note_rate_limited(1.0, sent_at=1.0, retry_after_seconds=0.0)
    limit.take_turn(1.3)
    assert limit.rate_at(1.3) == pytest.approx(38, rel=0.1)
    limit.take_turn(20.0)
    assert not limit.is_limited


HEADERS = {
    "x-ratelimit-limit-requests": "600",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1m0s",
    "x-ratelimit-limit-tokens": "60000",
    "x-ratelimit-remaining-tokens": "50000",
    "x-ratelimit-reset-tokens": "10s",
}


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        (HEADERS, 10.0),
        ({**HEADERS, "x-ratelimit-remaining-requests": "300"}, None),
        ({**HEADERS, "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "60s"}, 2.0),
        ({"x-ratelimit-remaining-requests": "0"}, None),
        ({**HEADERS, "x-ratelimit-limit-requests": "many"}, None),
        ({}, None),
    ],
)
def test_headers_set_the_rate_when_little_is_left(headers: dict[str, str], rate: float | None) -> None:
    """To that at which the allowance is filled up again, of requests or of tokens at 500 a request."""
    limit = RateLimit()
    limit.note_headers(headers, tokens=500, now_seconds=NOON)
    assert limit.rate_at(0.0) == rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("6m0s", 360), ("1.5s", 1.5), ("120ms", 0.12), ("12.5ms", 0.0125), ("7", 7), ("0.25", 0.25), ("1h2m3s", 3723)),
        *(("1d", 86_400), (f"{NOON + 30:.0f}", 30), (f"{NOON + 30:.3f}", 30), (f"{(NOON + 30) * 1000:.0f}", 30)),
        (f"{(NOON + 30) * 1_000_000:.0f}", 30),
        *(("2026-11-23T12:00:20Z", 20), ("2026-11-23T13:00:20+01:00", 20), ("2026-11-23 12:00:20", 20)),
        *(("Mon, 23 Nov 2026 12:00:20 GMT", 20), ("2026-11-23T11:00:00Z", 0), (f"{NOON - 5:.0f}", 0), ("0", 0)),
        *(("", None), ("soon", None), ("-1s", None), ("-1", None), ("nan", None), ("inf", None)),
    ],
)
def test_a_reset_is_read_in_every_form(text: str, seconds: float | None) -> None:
    """Seconds, a duration, a Unix time in seconds or milliseconds, a date; what is past is now."""
    assert read_reset(text, NOON) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("reset", [f"{NOON - 60:.0f}", f"{NOON + 86_400:.0f}", f"{(NOON - 1) * 1000:.0f}", "24h"])
def test_a_reset_that_is_past_or_far_away_sets_no_rate(reset: str) -> None:
    """A daily allowance is used up, and then the endpoint says how long to wait."""
    limit = RateLimit()
    limit.note_headers({**HEADERS, "x-ratelimit-reset-requests": reset}, tokens=500, now_seconds=NOON)
    assert not limit.is_limited


def test_a_reset_as_a_unix_time_sets_the_rate() -> None:
    """As a duration of the same length does."""
    limit = RateLimit()
    limit.note_headers({**HEADERS, "x-ratelimit-reset-requests": f"{NOON + 60:.0f}"}, tokens=500, now_seconds=NOON)
    assert limit.rate_at(0.0) == pytest.approx(10.0)
