"""A budget holds for a run that is ended while it asks: the endpoint may charge for what was in flight."""

import itertools
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.crash.test_kills import finish, start, wait_until
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, make_questions, write_config, write_questions

COUNT, WORKERS, ANSWERED = 60, 8, 5
TOKENS, CAP = 400, 8_000


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_what_was_in_flight_counts_in_the_next_run(folder: Path, endpoint: FakeEndpoint, ending: signal.Signals) -> None:
    """In full, as what it may have cost at most; with a higher cap the run goes on, and asks again only that."""
    release, numbers = threading.Event(), itertools.count(1)

    def answer(body: dict[str, Any]) -> Reply:
        if next(numbers) > ANSWERED:
            release.wait(60)
        reply = answer_by_rule(body)
        assert isinstance(reply.body, dict)
        return Reply({**reply.body, "usage": {"prompt_tokens": TOKENS, "completion_tokens": 0, "total_tokens": TOKENS}})

    endpoint.rule = answer
    write_questions(folder, make_questions(COUNT))
    config = folder / write_config(folder, endpoint.url, parallel_workers=WORKERS)
    config.write_text(config.read_text().replace("{model: fake", "{model: fake, max_tokens: 100"))
    process = start(folder, "--max-tokens-total", str(CAP))
    wait_until(lambda: len(endpoint.bodies) == ANSWERED + WORKERS)
    os.killpg(process.pid, ending)
    finish(process)
    release.set()
    code, printed = finish(start(folder, "--max-tokens-total", str(CAP)))
    assert code == 1
    assert "tokens that no answer accounts for" in printed
    assert "raise --max-tokens-total" in printed
    assert ANSWERED + WORKERS < len(endpoint.bodies) <= CAP // TOKENS
    if ending == signal.SIGINT:
        return
    code, printed = finish(start(folder, "--max-tokens-total", str(10 * CAP)))
    assert code == 0, printed
    assert "tokens that no answer accounts for" in printed
    assert len(endpoint.bodies) == COUNT + WORKERS
