"""Questions whose replies take known numbers of tokens, asked within a budget."""

import re
from typing import Any

from tasks.evaluation.errors import UnfinishedBatch
from tasks.evaluation.run.run import Run
from tests.support.fake_endpoint import FakeEndpoint, Reply, answer_by_rule, prompt_of

COUNT, WORKERS, MOST = 40, 4, 100


def take(number: int) -> int:
    """Return the tokens that the reply to a question takes."""
    return 20 + number * 37 % 60


def answer(body: dict[str, Any], **usage: object) -> Reply:
    reply = answer_by_rule(body)
    assert isinstance(reply.body, dict)
    number = int(re.findall(r"Question (\d+)", prompt_of(body))[0])
    counts = {"prompt_tokens": 10, "completion_tokens": take(number) - 10, "total_tokens": take(number)}
    return Reply({**reply.body, "usage": {**counts, **usage}})


def spent(endpoint: FakeEndpoint) -> int:
    """Return the tokens of all that the endpoint has answered since it forgot."""
    return sum(take(int(re.findall(r"Question (\d+)", prompt)[0])) * times for prompt, times in endpoint.asked().items())


def ask_all(run: Run) -> str:
    """Ask all open questions at once, as far as the budget goes; return why it ended."""
    for batch in run.batches.list_open():
        try:
            run.score(batch)
        except UnfinishedBatch:
            break
    run.saver.save()
    return str(run.stop_cause or "")


def limit(**caps: object) -> dict[str, object]:
    return {f"budget.{name}": value for name, value in caps.items()} | {"model.generator_settings.max_tokens": MOST}
