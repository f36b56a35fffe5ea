"""An endpoint that notes when each request came and went, and what kills in between have cost."""

import bisect
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.fake_endpoint import FakeEndpoint, Reply, is_grader, prompt_of

# How long a reply may be on its way to a process that is starved of processor time. That no kill costs more requests than there
# are workers is the sharper bound: a worker asks for nothing new before what it has is in the log.
WAY_SECONDS = 5.0


class Request(NamedTuple):
    """One request: what was asked of whom, and when it came and was answered (monotonic seconds, of all processes)."""

    prompt: str
    is_grader: bool
    received: float
    replied: float


class RecordingEndpoint(FakeEndpoint):
    """Records its requests once they are answered."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._noting = threading.Lock()
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients are killed while they ask

    def _reply(self, body: dict[str, Any]) -> Reply:
        received = time.monotonic()
        reply = super()._reply(body)
        with self._noting:
            self.requests.append(Request(prompt_of(body), is_grader(body), received, time.monotonic()))
        return reply


@dataclass
class Cost:
    """What kills have cost.

    `asked_again` are requests beyond each one's first; `in_flight` those that the endpoint had not answered at a kill, to which
    come replies on their way; `paid_twice` those asked again though they were neither; `most_at_once` is the most that one kill
    has cost. `lost` questions have no result or a wrong one, `doubled` stand there twice; `went_back` counts checkpoints that
    hold less than the one before.
    """

    kills: int = 0
    requests: int = 0
    asked_again: int = 0
    in_flight: int = 0
    paid_twice: int = 0
    most_at_once: int = 0
    lost: int = 0
    doubled: int = 0
    went_back: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        total = {name: getattr(self, name) + getattr(other, name) for name in vars(self)}
        return Cost(**total | {"most_at_once": max(self.most_at_once, other.most_at_once)})

    def __str__(self) -> str:
        return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in vars(self).items())


def count_cost(requests: Iterable[Request], kills: Sequence[float], results: Sequence[dict[str, Any]], count: int) -> Cost:
    """What the kills at these times have cost an evaluation of so many of `make_questions`, by its requests and its results."""
    cost = Cost(kills=len(kills))
    earlier: dict[tuple[str, bool], Request] = {}
    by_kill: Counter[int] = Counter()
    for request in sorted(requests, key=lambda request: request.received):
        cost.requests += 1
        cost.in_flight += _is_in_flight(request, kills, way_seconds=0)
        before = earlier.get((request.prompt, request.is_grader))
        if before:
            cost.asked_again += 1
            cost.paid_twice += not _is_in_flight(before, kills, WAY_SECONDS)
            by_kill[bisect.bisect(kills, before.received)] += 1
        earlier[request.prompt, request.is_grader] = request
    cost.most_at_once = max(by_kill.values(), default=0)
    right = {number: int(number % 3 != 0) for number in range(1, count + 1)}
    scores = {result["question_id"]: result.get("score") for result in results}
    cost.lost = sum(scores.get(number) != score for number, score in right.items())
    cost.doubled = len(results) - len(scores)
    return cost


def _is_in_flight(request: Request, kills: Sequence[float], way_seconds: float) -> bool:
    """Whether a kill came after the request and before its reply had arrived."""
    first = bisect.bisect(kills, request.received)
    return first < len(kills) and kills[first] <= request.replied + way_seconds
