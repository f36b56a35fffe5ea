"""What a run has written, for tests."""

import json
from pathlib import Path

from tests.support.fake_endpoint import FakeEndpoint, right_count


def assert_complete(output: Path, endpoint: FakeEndpoint, count: int, *, asked_again: int) -> None:
    """Check that each of `make_questions(count)` is scored once, and that at most `asked_again` were asked again.

    The number of right answers must be the known one.
    """
    newest = max(output.glob("exam_fake_*.json"))
    results = json.loads(newest.read_text())["results"]
    assert [result["question_id"] for result in results] == list(range(1, count + 1))
    assert sum(result["score"] for result in results) == right_count(count)
    assert sum(endpoint.asked().values()) <= count + asked_again
