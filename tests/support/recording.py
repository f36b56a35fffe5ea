"""An endpoint that notes when each request came and was answered, and what kills in between have cost."""

import bisect
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.support.fake_endpoint import FakeEndpoint, Reply, is_grader, prompt_of

# After this long without a request from a killed process, all its requests are taken to have arrived.
QUIET_SECONDS = 0.1


class Request(NamedTuple):
    """One request: what was asked of whom, and when it came and was answered (monotonic seconds, shared by all processes)."""

    prompt: str
    is_grader: bool
    received: float
    replied: float


class Kill(NamedTuple):
    """When a run was killed, and when everything it had asked was answered in vain; the next run starts after that."""

    at: float
    settled: float


class RecordingEndpoint(FakeEndpoint):
    """Records its requests once they are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._noting = threading.Lock()
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients are killed while they ask

    def settle(self) -> float:
        """Wait until nothing is in flight and nothing more comes; return the time then."""
        while True:
            count = len(self.bodies)
            time.sleep(QUIET_SECONDS)
            if self._in_flight == 0 and len(self.bodies) == count:
                return time.monotonic()

    def _reply(self, body: dict[str, Any]) -> Reply:
        received = time.monotonic()
        reply = super()._reply(body)
        with self._noting:
            self.requests.append(Request(prompt_of(body), is_grader(body), received, time.monotonic()))
        return reply


@dataclass
class Cost:
    """What kills have cost.

    `asked_again` counts repeated requests, and `most_at_once` the most of them that one kill has cost: no more than there are
    workers, since no worker asks for anything new before its last answer is in the log. `in_flight` counts the requests that
    the endpoint had not answered at a kill; replies on their way, and those that a busy process had yet to read, come on top.
    `lost` questions have no result or a wrong one, `doubled` ones are there twice. `went_back` counts checkpoints that hold
    less than the one before.
    """

    kills: int = 0
    requests: int = 0
    asked_again: int = 0
    in_flight: int = 0
    most_at_once: int = 0
    lost: int = 0
    doubled: int = 0
    went_back: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        total = {name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        return Cost(**total | {"most_at_once": max(self.most_at_once, other.most_at_once)})

    def __str__(self) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in vars(self).items())


def count_cost(requests: Iterable[Request], kills: Sequence[Kill], results: Sequence[dict[str, Any]], count: int) -> Cost:
    """Return what the kills have cost an evaluation of `make_questions(count)`, by its requests and its results."""
    cost = Cost(kills=len(kills))
    settled = [kill.settled for kill in kills]
    earlier: dict[tuple[str, bool], Request] = {}
    by_kill: Counter[int] = Counter()
    for request in sorted(requests, key=lambda request: request.received):
        cost.requests += 1
        life = bisect.bisect(settled, request.received)
        cost.in_flight += life < len(kills) and request.replied > kills[life].at
        before = earlier.get((request.prompt, request.is_grader))
        if before:
            by_kill[bisect.bisect(settled, before.received)] += 1
        earlier[request.prompt, request.is_grader] = request
    cost.asked_again, cost.most_at_once = by_kill.total(), max(by_kill.values(), default=0)
    right = {number: int(number % 3 != 0) for number in range(1, count + 1)}
    scores = {result["question_id"]: result.get("score") for result in results}
    cost.lost = sum(scores.get(number) != score for number, score in right.items())
    cost.doubled = len(results) - len(scores)
    return cost
