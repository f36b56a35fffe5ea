"""Questions put to several addresses of one model."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.following import Following
from tasks.evaluation.endpoints.key_sources import KeySources, Places
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import EvaluationError
from tests.support.fake_endpoint import FakeEndpoint, Reply, Rule, answer_by_rule, error, prompt_of

PATIENCE = Patience(
    10,
    60,
    first_pause_seconds=0.01,
    longest_pause_seconds=0.01,
    probe_seconds=0.01,
    look_seconds=0.1,
    look_again_seconds=60,
    reread_seconds=0.01,
    settle_seconds=0.01,
)
DROPPED = Reply(is_dropped=True)
Outcome = Answer | EvaluationError


def make_target(servers: list[FakeEndpoint], weights: tuple[float, ...] = (1, 1)) -> Endpoint:
    first, *others = (
        Endpoint("generator", server.url, "none", {"model": "m"}, origin="the settings", weight=weight)
        for server, weight in zip(servers, weights, strict=True)
    )
    return replace(first, others=tuple(others))


def make_file_target(path: Path) -> Endpoint:
    """Return a model whose addresses the file lists."""
    sources = KeySources(KeyReader({}, str), Places("api_key", "headers", "base_url"), None, {}, None)
    return Endpoint("generator", None, "none", {"model": "m"}, origin="the settings", sources=sources, address_file=str(path))


def ask_all(
    target: Endpoint,
    count: int,
    *,
    workers: int = 8,
    patience: Patience = PATIENCE,
    most_each: int | None = None,
    is_proven: bool = True,
    is_checked: bool = False,
) -> list[Outcome]:
    """Return how questions 1 to `count` end, with this many of them in flight."""

    async def ask(client: Client, slots: Slots, number: int) -> Answer:
        async with slots:
            return await client.ask([{"role": "user", "content": f"Question {number}"}])

    async def ask_each() -> list[Outcome]:
        slots = Slots(workers)
        client = Client(target, patience, is_proven=is_proven, slots=slots, notify=print, most_each=most_each)
        try:
            if is_checked:
                await check_endpoint(client, print)
            following = Following(client, client.fleet, print, print) if client.fleet else None
            task = asyncio.create_task(following.follow_file()) if following else asyncio.create_task(asyncio.sleep(0))
            askings = [ask(client, slots, number + 1) for number in range(count)]
            outcomes = await asyncio.gather(*askings, return_exceptions=True)
            task.cancel()
        finally:
            await client.close()
        return [outcome for outcome in outcomes if isinstance(outcome, Answer | EvaluationError)]

    return asyncio.run(ask_each())


def assert_all_answered(outcomes: list[Outcome], count: int) -> None:
    """Check that each question has its own answer."""
    assert [outcome.text for outcome in outcomes if isinstance(outcome, Answer)] == [
        f"The answer is {'ABCD'[number % 4]}." for number in range(1, count + 1)
    ]


def count_asked(servers: list[FakeEndpoint]) -> "Counter[str]":
    return sum((server.asked() for server in servers), Counter())


def until(count: int, reply: Reply) -> Rule:
    """Return a rule that answers the first `count` requests with this reply, and then as it should."""
    seen: list[object] = []

    def rule(body: dict[str, Any]) -> Reply:
        seen.append(body)
        return reply if len(seen) <= count else answer_by_rule(body)

    return rule


def after(count: int, reply: Reply) -> Rule:
    """Return a rule that answers the first `count` requests as it should, and then with this reply."""
    seen: list[object] = []

    def rule(body: dict[str, Any]) -> Reply:
        seen.append(body)
        return answer_by_rule(body) if len(seen) <= count else reply

    return rule


def decline(*numbers: int) -> Rule:
    """Return a rule that declines these questions, and answers the others as it should."""
    prompts = {f"Question {number}" for number in numbers}
    return lambda body: error(400, "blocked") if prompt_of(body) in prompts else answer_by_rule(body)


def list_names(*names: str) -> Reply:
    return Reply({"data": [{"id": name, "owned_by": "vllm"} for name in names]})


def write_addresses(path: Path, *servers: FakeEndpoint) -> None:
    path.write_text("".join(f"{server.url}\n" for server in servers))


def at_question(number: int, act: Callable[[], object], rule: Rule = answer_by_rule) -> Rule:
    """Return a rule that acts when this question comes, and then replies as the other rule says."""

    def reply(body: dict[str, Any]) -> Reply:
        if prompt_of(body) == f"Question {number}":
            act()
        return rule(body)

    return reply
