"""Asks an endpoint, and tells what of its replies is an answer.

Failures are told apart here and nowhere else (`_judge`): what is asked again is asked again by the openai client itself, eight
times in all with growing pauses and the server's Retry-After, and for longer while nothing at all gets through; what remains is
an `EndpointFailure` (try later), a `Refused` (final for this question) or an `EndpointStop` (nothing more can be asked).
"""

import asyncio
import json
import time
from collections.abc import Callable

import httpx2
import openai
from openai import AsyncOpenAI

from tasks.evaluation.endpoints import NO_KEY, Endpoint
from tasks.evaluation.errors import EndpointFailure, EndpointStop, EvaluationError, Refused, UserMistake
from tasks.evaluation.json_files import JsonValue
from tasks.evaluation.prompts import Message
from tasks.evaluation.records import Answer

ATTEMPTS = 8
# The pauses before an unusable reply with status 200 is asked for again; the client's own pauses for all else are alike.
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
# The pause after a question's attempts, while nothing gets through.
OUTAGE_PAUSE_SECONDS = 1.0
# At temperature 0 an empty answer comes again and again.
EMPTY_REPLIES = 3
CONNECT_SECONDS = 5.0
STOP_STATUS = {
    401: "renew the API key (api_key)",
    402: "renew the account's credit",
    403: "ask for access to this model, or renew the API key (api_key)",
    404: "mend the address (base_url) or the model's name (model)",
}
REFUSED_STATUS = (400, 413, 422)


class _UnusableReply(EndpointFailure):
    """A reply with status 200 that is none: the client does not repeat these, so we do."""


class Client:
    """Asks one endpoint. To be used on one event loop only.

    Args:
        endpoint: what is asked.
        timeout_seconds: how long one attempt may take.
        max_outage_seconds: how long nothing at all may get through before the run is to stop.
        say: takes what the user should know.
    """

    def __init__(
        self, endpoint: Endpoint, *, timeout_seconds: float, max_outage_seconds: float, say: Callable[[str], None]
    ) -> None:
        self.endpoint = endpoint
        self._max_outage_seconds = max_outage_seconds
        self._say = say
        self._is_out = False
        self._last_sign_of_life = time.monotonic()
        try:
            self._client = AsyncOpenAI(
                base_url=endpoint.base_url,
                api_key=endpoint.api_key,
                max_retries=ATTEMPTS - 1,
                timeout=openai.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
                # The workers bound how many requests are open at once.
                http_client=openai.DefaultAioHttpClient(limits=httpx2.Limits(max_connections=None)),
            )
        except openai.OpenAIError as error:
            raise UserMistake(f"cannot ask the {endpoint.role}: {error}") from None

    async def ask(self, messages: list[Message]) -> Answer:
        """The model's reply to the messages; while nothing at all gets through, it goes on trying.

        Raises:
            EndpointFailure: no usable reply came, though others did.
            Refused: the endpoint declined this request, or answered with nothing three times.
            EndpointStop: it will decline every request until something is mended, or nothing got through for too long.
        """
        while True:
            started = time.monotonic()
            try:
                answer = await self._ask_in_attempts(messages)
            except EndpointFailure as failure:
                if self._last_sign_of_life > started:
                    raise
                self._note_outage(failure)
                await asyncio.sleep(OUTAGE_PAUSE_SECONDS)
            except Refused:
                self._note_life()
                raise
            else:
                self._note_life()
                return answer

    def _note_life(self) -> None:
        self._last_sign_of_life = time.monotonic()
        if self._is_out:
            self._is_out = False
            self._say(f"The {self.endpoint.role} answers again")

    def _note_outage(self, failure: EndpointFailure) -> None:
        """Say it once, and give up when it has lasted too long."""
        if not self._is_out:
            self._is_out = True
            self._say(f"Nothing gets through, waiting for {self._max_outage_seconds:,.0f} s at most: {failure}")
        if time.monotonic() - self._last_sign_of_life > self._max_outage_seconds:
            raise EndpointStop(f"nothing got through for {self._max_outage_seconds:,.0f} s: {failure}")

    async def _ask_in_attempts(self, messages: list[Message]) -> Answer:
        started = time.monotonic()
        empty_replies = 0
        for attempt in range(ATTEMPTS):
            try:
                reply = self._read(await self._ask_once(messages), time.monotonic() - started)
            except _UnusableReply:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
                continue
            if reply.text or reply.finish_reason == "length":
                return reply
            empty_replies += 1
            if empty_replies == EMPTY_REPLIES:
                break
        raise Refused(f"the {self.endpoint.role} answered with an empty message {empty_replies} times")

    async def _ask_once(self, messages: list[Message]) -> JsonValue:
        """The body of a response with status 200. The client itself repeats what failed on the way."""
        body = {**self.endpoint.request, "messages": [_make_sendable(message) for message in messages]}
        try:
            response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=body)
        except openai.OpenAIError as error:
            raise self._judge(error) from None
        except (ValueError, TypeError) as error:
            raise EndpointStop(f"the {self.endpoint.role} cannot be asked with these settings: {error}") from error
        try:
            reply: JsonValue = json.loads(response.content)
        except (ValueError, RecursionError):
            raise _UnusableReply(f"the {self.endpoint.role} answered with something that is no JSON") from None
        return reply

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _judge(self, error: openai.OpenAIError) -> EvaluationError:
        """What a failed request means."""
        role, words = self.endpoint.role, self._scrub(_server_words(error))
        if not isinstance(error, openai.APIStatusError):
            # The transport calls every failure to connect a timeout.
            was_reached = isinstance(error, openai.APITimeoutError) and not isinstance(error.__cause__, httpx2.ConnectTimeout)
            kind = "did not answer in time" if was_reached else "cannot be reached"
            return EndpointFailure(f"the {role} {kind}: {words}")
        message = f"the {role} answered {error.status_code}: {words}"
        if error.code == "insufficient_quota":
            return EndpointStop(f"{message}; {STOP_STATUS[402]}")
        if error.status_code in STOP_STATUS:
            return EndpointStop(f"{message}; {STOP_STATUS[error.status_code]}")
        return Refused(message) if error.status_code in REFUSED_STATUS else EndpointFailure(message)

    def _read(self, body: JsonValue, seconds: float) -> Answer:
        """The reply in the body of a response with status 200."""
        role = self.endpoint.role
        choices = body.get("choices") if isinstance(body, dict) else None
        first = choices[0] if isinstance(choices, list) and choices else None
        message = first.get("message") if isinstance(first, dict) else None
        if not isinstance(body, dict) or not isinstance(first, dict) or not isinstance(message, dict):
            raise _UnusableReply(f"the {role} answered without a message")
        finish_reason = _text_or_none(first.get("finish_reason"))
        text, thought = _split_thought(_join_parts(message.get("content")))
        text = text if text.strip() else ""
        if not text and finish_reason == "content_filter":
            raise Refused(f"the {role}'s content filter withheld the answer")
        return Answer(
            text=text,
            reasoning=_text_or_none(message.get("reasoning_content")) or thought,
            usage=_token_counts(body.get("usage")),
            finish_reason=finish_reason,
            response_model=_text_or_none(body.get("model")),
            seconds=seconds,
        )

    def _scrub(self, text: str) -> str:
        """The text without the key, which servers like to repeat."""
        return text.replace(self.endpoint.api_key, "***") if len(self.endpoint.api_key) > len(NO_KEY) else text


def _server_words(error: openai.OpenAIError) -> str:
    """The server's own words about the failure, at most 300 characters of them."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    cause = f" ({error.__cause__})" if error.__cause__ and not message else ""
    return " ".join(f"{message or error}{cause}".split())[:300]


def _split_thought(content: str) -> tuple[str, str | None]:
    """What follows the thought at the content's beginning, and the thought; some servers send only its closing tag."""
    thought, closing, text = content.rpartition("</think>")
    if closing:
        return text.strip(), thought.replace("<think>", "", 1).strip()
    if content.lstrip().startswith("<think>"):
        return "", content.replace("<think>", "", 1).strip()
    return content, None


def _make_sendable(message: Message) -> Message:
    """The message with half surrogate pairs, which have no UTF-8 form, replaced by question marks."""
    return {"role": message["role"], "content": message["content"].encode("utf-8", "replace").decode()}


def _join_parts(content: JsonValue) -> str:
    """A message's content as text; some servers send a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _text_or_none(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


def _token_counts(usage: JsonValue) -> dict[str, int]:
    if not isinstance(usage, dict):
        return {}
    return {name: count for name, count in usage.items() if isinstance(count, int) and not isinstance(count, bool)}
