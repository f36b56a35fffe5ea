"""The encoder behind an endpoint: `/v1/embeddings`, asked like the other endpoints: in turn, again, and rarely in an outage."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np

from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.embeddings import Embedded
from tasks.evaluation.endpoints.event_loop import EventLoopThread
from tasks.evaluation.endpoints.preflight import check_endpoint
from tasks.evaluation.endpoints.slots import Slots
from tasks.evaluation.errors import Declined, EndpointStop, EvaluationError, Refused, StorageFailure, Unscored, UserMistake
from tasks.evaluation.retrieval.arrays import Vectors, normalize

Keep = Callable[[Sequence[str], Vectors], None]
TOO_LONG = "it is longer than the encoder takes: set rag.retriever_config.encoder_config.max_characters, which cuts it"


class EndpointEncoder:
    """Has an endpoint encode texts.

    Args:
        client: asks it.
        loop: the event loop on which it is asked.
        slots: limits the requests in flight.
        notify: takes what the user should know.
    """

    def __init__(self, client: Client, loop: EventLoopThread, slots: Slots, notify: Callable[[str], None]) -> None:
        self._client = client
        self._loop = loop
        self._slots = slots
        self._notify = notify
        self._is_checked = False

    def encode(self, batches: Sequence[Sequence[str]], keep: Keep) -> dict[str, str]:
        """Encode the batches, and hand each over as soon as it has come; return why texts could not be encoded.

        Raises:
            EvaluationError: nothing more can be encoded until somebody acts, or what came cannot be kept.
        """
        return self._loop.run(self._encode_all(batches, keep))

    def stop(self, cause: EvaluationError) -> None:
        """Ask nothing more; what is in flight may still arrive."""
        self._loop.call(lambda: self._client.stop(cause))

    def close(self) -> None:
        """Close the connections."""
        self._loop.run(self._client.close())

    async def _encode_all(self, batches: Sequence[Sequence[str]], keep: Keep) -> dict[str, str]:
        if not self._is_checked:
            await check_endpoint(self._client, self._notify)
            self._is_checked = True
        outcomes = await asyncio.gather(*(self._encode(batch, keep) for batch in batches), return_exceptions=True)
        failures: dict[str, str] = {}
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            failures |= outcome
        return failures

    async def _encode(self, texts: Sequence[str], keep: Keep) -> dict[str, str]:
        """Encode the texts; where one of several is declined, each half is sent again, so that the others get through."""
        try:
            async with self._slots:
                reply = await self._client.ask([{"role": "user", "content": text} for text in texts])
        except (EndpointStop, UserMistake, StorageFailure) as stop:
            self._client.stop(stop)
            raise
        except (Refused, Unscored) as failure:
            if isinstance(failure, Declined) and len(texts) > 1:
                half = len(texts) // 2
                return {**await self._encode(texts[:half], keep), **await self._encode(texts[half:], keep)}
            return dict.fromkeys(texts, _describe(failure))
        assert isinstance(reply, Embedded)
        with np.errstate(over="ignore", invalid="ignore"):  # who keeps them looks whether they are numbers
            vectors = normalize(np.array(reply.vectors, dtype=np.float32))
        keep(texts, vectors)
        return {}


def _describe(failure: EvaluationError) -> str:
    return f"{failure}; {TOO_LONG}" if isinstance(failure, Declined) and failure.is_too_long else str(failure)
