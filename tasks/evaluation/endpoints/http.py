"""One request to an endpoint, as the openai package makes it: its reply, or the error that its failure means."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import httpx2
import openai
from openai import AsyncOpenAI

from tasks.evaluation.config.keys import OPENAI_URL
from tasks.evaluation.config.secrets import Scrubber
from tasks.evaluation.config.urls import split_query
from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.connections import AiohttpTransport, SocksTransport, make_transport
from tasks.evaluation.endpoints.embeddings import read_embeddings
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.failures import (
    UNAUTHORIZED,
    classify_report,
    classify_silence,
    classify_status,
    read_retry_after,
    shorten,
)
from tasks.evaluation.endpoints.http_reply import HttpReply
from tasks.evaluation.endpoints.key_sources import InClear
from tasks.evaluation.endpoints.listed_models import ListedModel
from tasks.evaluation.endpoints.messages import Message
from tasks.evaluation.endpoints.patience import Patience
from tasks.evaluation.endpoints.request_pattern import RequestPattern, make_pattern
from tasks.evaluation.endpoints.responses import ReportedFailure, read_models, read_reply
from tasks.evaluation.endpoints.server_errors import read_report
from tasks.evaluation.errors import EndpointFailure, EndpointStop, EvaluationError, Refused, UnusableReply, UserMistake
from tasks.evaluation.spending.usage import COST_HEADER, add_cost, read_usage

Quoting = TypeVar("Quoting", bound=EvaluationError)
# A gateway that answers 200 with an error may repeat the key as if it were the answer; no answer holds so long a key by chance.
SHORTEST_REPEATED_KEY = 16


class Transport:
    """Sends requests to one endpoint. To be used on one event loop only.

    Args:
        endpoint: where the requests go.
        patience: how long one request, and its connection, may take.
        connections: those of an earlier one to the same endpoint; None: new ones.

    Raises:
        UserMistake: the endpoint's address or key cannot be used.
    """

    def __init__(
        self, endpoint: Endpoint, patience: Patience, connections: "AiohttpTransport | SocksTransport | None" = None
    ) -> None:
        self.endpoint = endpoint
        self._patience = patience
        self._scrub = Scrubber(endpoint.secrets, shortest=SHORTEST_REPEATED_KEY)
        self._pattern: RequestPattern | None = None
        base_url, query = split_query(endpoint.base_url) if endpoint.base_url else (None, {})
        self._connections = connections or make_transport(base_url or OPENAI_URL)
        try:
            self._client = AsyncOpenAI(
                base_url=base_url,
                default_query=query,
                default_headers=endpoint.headers,
                api_key=endpoint.api_key,
                max_retries=0,
                timeout=openai.Timeout(patience.request_timeout_seconds, connect=patience.connect_seconds),
                # Redirects are not followed: that would turn a question into a request for a page.
                http_client=httpx2.AsyncClient(transport=self._connections, follow_redirects=False),
            )
        except openai.OpenAIError as error:
            raise UserMistake(f"cannot ask the {endpoint.role}: {endpoint.scrub_words(str(error))}") from None

    def with_keys(self, keys: InClear) -> "Transport":
        """Return one that sends these keys over the same connections; only one of the two is to be closed.

        Raises:
            UserMistake: the keys cannot be used.
        """
        return Transport(self.endpoint.with_keys(keys), self._patience, self._connections)

    async def ask(self, messages: list[Message]) -> tuple[Answer, Mapping[str, str]]:
        """Return the answer to the messages, or a vector for each message's text, and the headers that it came with.

        Raises:
            EvaluationError: as `failures` and `read_reply` decide.
        """
        role = self.endpoint.role
        started = time.monotonic()
        reply = await self._post(messages)
        seconds, content_type = time.monotonic() - started, reply.headers.get("content-type", "")
        try:
            read = partial(read_embeddings, count=len(messages)) if self.endpoint.api == "embeddings" else read_reply
            answer = read(reply.content, role=role, seconds=seconds, content_type=content_type)
        except ReportedFailure as failure:
            retry_after_seconds = read_retry_after(reply.headers, time.time())
            reported = classify_report(read_report(failure.report), self.endpoint, retry_after_seconds)
            reported.usage = add_cost(failure.usage, reply.headers)
            raise reported from None
        except (UnusableReply, Refused) as error:
            error.usage = add_cost(read_usage(error.usage), reply.headers)
            raise self._scrub_error(error) from None
        if COST_HEADER in reply.headers:
            answer = replace(answer, usage=add_cost(answer.usage, reply.headers))
        return self._without_keys(answer), reply.headers

    async def _post(self, messages: list[Message]) -> HttpReply:
        """Return the reply, if its status is one of success; raises as `failures` decides."""
        role, seconds = self.endpoint.role, self._patience.request_timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                pattern = self._pattern = self._pattern or await make_pattern(
                    self._client, self.endpoint.request, self.endpoint.api
                )
                reply = await self._connections.post(pattern, pattern.fill(messages))
        except httpx2.RequestError as error:
            raise classify_silence(error, self.endpoint) from None
        except TimeoutError:
            raise EndpointFailure(f"the {role} did not answer in time: {seconds:,.0f} s (request_timeout_seconds)") from None
        except (ValueError, TypeError) as error:
            words = self.endpoint.scrub_words(str(error))
            raise EndpointStop(f"the {role} cannot be asked with these settings: {words}") from None
        if not reply.is_success:
            raise classify_status(reply, self.endpoint)
        return reply

    async def list_models(self) -> list[ListedModel]:
        """Return the models that the endpoint lists; empty if it does not list them.

        Raises:
            EndpointFailure: it cannot be reached.
            EndpointStop: it does not accept the key.
        """
        try:
            # The caller limits the time for a reply: a missing reply does not mean that nothing is there.
            client = self._client.with_options(timeout=openai.Timeout(None, connect=self._patience.connect_seconds))
            response = await client.get("/models", cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            if error.status_code == UNAUTHORIZED:
                raise classify_status(error.response, self.endpoint) from None
            return []
        except openai.OpenAIError as error:
            raise classify_silence(error, self.endpoint) from None
        return read_models(response.content)

    def _scrub_error(self, error: Quoting) -> Quoting:
        """Return the error without the secrets that the words of a reply may hold; it is shortened only afterwards."""
        error.args = (shorten(str(error), self.endpoint),)
        return error

    def _without_keys(self, answer: Answer) -> Answer:
        given = (answer.text, answer.reasoning, answer.finish_reason, answer.response_model)
        clean = tuple(text and self._scrub(text) for text in given)
        if clean == given:
            return answer
        text, reasoning, finish_reason, response_model = clean
        return replace(answer, text=text or "", reasoning=reasoning, finish_reason=finish_reason, response_model=response_model)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
