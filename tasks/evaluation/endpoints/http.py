"""One request to an endpoint, by the openai package's client: its reply, or the error of ours that its failure means."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import aiohttp
import httpx2
import openai
from openai import AsyncOpenAI

from tasks.evaluation.config.secrets import Scrubber
from tasks.evaluation.config.urls import split_query
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.failures import UNAUTHORIZED, classify_failure
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.responses import read_models, read_reply
from tasks.evaluation.errors import EndpointFailure, EndpointStop, UserMistake

# A gateway that answers 200 with an error may repeat the key as if it were the answer; no answer holds so long a key by chance.
SHORTEST_REPEATED_KEY = 16


class Transport:
    """The connections to one endpoint. To be used on one event loop only.

    Args:
        endpoint: where the requests go.
        patience: how long one request, and its connection, may take.

    Raises:
        UserMistake: the endpoint's address or key cannot be used.
    """

    def __init__(self, endpoint: Endpoint, patience: Patience) -> None:
        self._endpoint = endpoint
        self._patience = patience
        self._scrub = Scrubber(endpoint.secrets, shortest=SHORTEST_REPEATED_KEY)
        base_url, query = split_query(endpoint.base_url) if endpoint.base_url else (None, {})
        try:
            self._client = AsyncOpenAI(
                base_url=base_url,
                default_query=query,
                api_key=endpoint.api_key,
                max_retries=0,
                timeout=openai.Timeout(patience.request_timeout_seconds, connect=patience.connect_seconds),
                # The workers bound how many requests are open at once.
                http_client=openai.DefaultAioHttpClient(limits=httpx2.Limits(max_connections=None)),
            )
        except openai.OpenAIError as error:
            raise UserMistake(f"cannot ask the {endpoint.role}: {endpoint.scrub_words(str(error))}") from None

    async def ask(self, messages: list[Message]) -> tuple[Answer, Mapping[str, str]]:
        """The answer to the messages, and the headers that it came with.

        Raises:
            EvaluationError: as `classify_failure` and `read_reply` give it.
        """
        role = self._endpoint.role
        body = {**self._endpoint.request, "messages": [_make_sendable(message) for message in messages]}
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._patience.request_timeout_seconds):
                # The typed method would check and copy every field of the reply, which takes longer than all the rest.
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        except (openai.OpenAIError, aiohttp.ClientError) as error:
            raise classify_failure(error, self._endpoint) from None
        except TimeoutError:
            raise EndpointFailure(
                f"the {role} did not answer in time: {self._patience.request_timeout_seconds:,.0f} s (request_timeout_seconds)"
            ) from None
        except (ValueError, TypeError) as error:
            raise EndpointStop(
                f"the {role} cannot be asked with these settings: {self._endpoint.scrub_words(str(error))}"
            ) from None
        answer = read_reply(response.content, role=role, seconds=time.monotonic() - started)
        return self._without_keys(answer), response.headers

    async def list_models(self) -> list[str]:
        """The names of the models that the endpoint lists; none where it does not list them.

        Raises:
            EndpointFailure: it cannot be reached.
            EndpointStop: it does not accept the key.
        """
        try:
            # The caller bounds the time for a reply: one that does not come is no sign that nothing is there.
            client = self._client.with_options(timeout=openai.Timeout(None, connect=self._patience.connect_seconds))
            response = await client.get("/models", cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            if error.status_code == UNAUTHORIZED:
                raise classify_failure(error, self._endpoint) from None
            return []
        except (openai.OpenAIError, aiohttp.ClientError) as error:
            raise classify_failure(error, self._endpoint) from None
        return read_models(response.content)

    def _without_keys(self, answer: Answer) -> Answer:
        return replace(
            answer,
            text=self._scrub(answer.text),
            reasoning=answer.reasoning and self._scrub(answer.reasoning),
            finish_reason=answer.finish_reason and self._scrub(answer.finish_reason),
            response_model=answer.response_model and self._scrub(answer.response_model),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _make_sendable(message: Message) -> Message:
    """The message with half surrogate pairs, which have no UTF-8 form, replaced by question marks."""
    return {"role": message["role"], "content": message["content"].encode("utf-8", "replace").decode()}
