"""A client of a test's endpoint, and one question for it."""

import asyncio

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.slots import Slots

KEY = "sk-very-secret"


def make_client(
    url: str, timeout_seconds: float = 60, *, max_outage_seconds: float = 0, is_proven: bool = True, **request: float
) -> Client:
    """Return a client that gives up soon."""
    endpoint = Endpoint("generator", url, KEY, {"model": "m", **request})
    patience = Patience(timeout_seconds, max_outage_seconds, attempts=3, first_pause_seconds=0, probe_seconds=0)
    return Client(endpoint, patience, is_proven=is_proven, slots=Slots(), notify=print)


def ask(
    url: str, timeout_seconds: float = 60, *, is_proven: bool = True, prompt: str = "Question 1", **request: float
) -> Answer:
    """Ask one question."""

    async def ask_once() -> Answer:
        client = make_client(url, timeout_seconds, is_proven=is_proven, **request)
        try:
            return await client.ask([{"role": "user", "content": prompt}])
        finally:
            await client.close()

    return asyncio.run(ask_once())
