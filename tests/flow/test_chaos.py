"""All that endpoints do wrong, in one run: the result is that of an endpoint which does nothing wrong."""

import json
import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.evaluation.config.overrides import Overrides
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    answer_by_rule,
    completion,
    error,
    is_grader,
    make_questions,
    prompt_of,
    right_count,
    write_config,
    write_questions,
)

pytestmark = pytest.mark.slow

COUNT = 300
REFUSED = (17, 99, 203)
# Shares of all requests.
FAULTS: dict[str | None, float] = {
    "500": 0.04,
    "502 page": 0.02,
    "429": 0.005,
    "dropped": 0.04,
    "cut JSON": 0.02,
    "no choices": 0.02,
    "hangs": 0.005,
    "no verdict": 0.05,
}
OUTAGE = range(200, 260)


class Chaos:
    """A rule that does wrong to requests as a seed says, and always otherwise to the same request asked again."""

    def __init__(self, seed: int) -> None:
        self.paid: Counter[tuple[bool, str]] = Counter()
        self._seed = seed
        self._attempts: Counter[tuple[bool, str]] = Counter()
        self._requests = 0
        self._lock = threading.Lock()

    def __call__(self, body: dict[str, Any]) -> Reply:
        asked = (is_grader(body), prompt_of(body))
        with self._lock:
            self._requests += 1
            self._attempts[asked] += 1
            number, attempt = self._requests, self._attempts[asked]
        if number in OUTAGE:
            return Reply(is_dropped=True)
        if not asked[0] and any(f"Question {refused}:" in asked[1] for refused in REFUSED):
            return error(400, "content policy")
        shares = {**FAULTS, None: 1 - sum(FAULTS.values())}
        fault = random.Random(f"{self._seed} {asked} {attempt}").choices(list(shares), list(shares.values()))[0]
        reply = self._do_wrong(fault, is_grader=asked[0]) or answer_by_rule(body)
        if reply.status == 200 and isinstance(reply.body, dict) and reply.body.get("choices"):
            self.paid[asked] += 1
        return reply

    def _do_wrong(self, fault: str | None, *, is_grader: bool) -> Reply | None:
        """Return a wrong reply; None if it is to be the right one."""
        if fault == "hangs":
            time.sleep(3)
        replies = {
            "500": error(500, "boom"),
            "502 page": Reply(b"<html>Bad gateway</html>", 502, {"Content-Type": "text/html"}),
            "429": error(429, "slow down", **{"retry-after-ms": "20"}),
            "dropped": Reply(is_dropped=True),
            "cut JSON": Reply(b'{"choices": [{"mess'),
            "no choices": Reply({"choices": []}),
            "hangs": Reply(is_dropped=True),
            "no verdict": completion("I would say it is right.") if is_grader else None,
        }
        return replies[fault] if fault else None


def test_chaos_changes_no_score(
    prefect_server: str, folder: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every question but the refused ones has its known score, and no answer is paid for twice."""
    from flows.score_questions import score_questions

    monkeypatch.setenv("FAKE_KEY", "sk-very-secret")
    write_questions(folder, make_questions(COUNT))
    endpoint.rule = chaos = Chaos(seed=5)
    config = write_config(folder, endpoint.url, grader=True, parallel_workers=16, request_timeout_seconds=1)
    assert score_questions(config, Overrides(), return_state=True).is_completed()
    results = json.loads(max((folder / "out").glob("exam_fake_*.json")).read_text())["results"]
    expected = [None if n in REFUSED else int(n % 3 != 0) for n in range(1, COUNT + 1)]
    assert [result.get("score") for result in results] == expected
    assert [result["question_id"] for result in results if result["skipped"]] == list(REFUSED)
    assert sum(score for score in expected if score) == right_count(COUNT) - sum(n % 3 != 0 for n in REFUSED)
    assert {count for (is_grade, _), count in chaos.paid.items() if not is_grade} == {1}
