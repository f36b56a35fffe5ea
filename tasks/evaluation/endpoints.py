"""Endpoints: where the generator and the grader are, what is sent to them, and what of their replies is an answer.

One client an endpoint. Failures are told apart here and nowhere else (`_judge`): what is asked again is asked again by the
client itself, eight times in all with growing pauses and the server's Retry-After, and for longer while nothing at all gets
through; what remains is an `EndpointFailure` (try later), a `Refused` (final for this question) or an `EndpointStop` (nothing
more can be asked).
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx2
import openai
from openai import AsyncOpenAI

from tasks.evaluation.config import Config, GeneratorSettings
from tasks.evaluation.errors import EndpointFailure, EndpointStop, EvaluationError, Refused, UserMistake
from tasks.evaluation.json_files import JsonObject, JsonValue
from tasks.evaluation.masking import is_reference
from tasks.evaluation.model_servers import find_model_server, list_model_servers
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
# An endpoint that needs no key still gets a header; the client refuses an empty one.
NO_KEY = "none"
SELF_GRADER = "self"
GRADER_REQUEST: JsonObject = {"temperature": 0.0, "max_tokens": 1000}
# A generator that grades itself is often too small to write JSON unless its server holds it to that.
VERDICT_FORMAT: JsonObject = {
    "type": "json_schema",
    "json_schema": {
        "name": "verdict",
        "schema": {
            "type": "object",
            "properties": {"score": {"enum": [0, 0.5, 1]}, "reasoning": {"type": "string", "maxLength": 200}},
            "required": ["score", "reasoning"],
        },
    },
}
STOP_STATUS = {
    401: "renew the API key (api_key)",
    402: "renew the account's credit",
    403: "ask for access to this model, or renew the API key (api_key)",
    404: "mend the address (base_url) or the model's name (model)",
}
REFUSED_STATUS = (400, 413, 422)


@dataclass(frozen=True)
class Endpoint:
    """A model behind an OpenAI-compatible address.

    `request` is all that is sent beside the messages. `base_url` None is the openai package's own default.
    """

    role: Literal["generator", "grader"]
    base_url: str | None
    api_key: str = field(repr=False)
    request: JsonObject

    @property
    def model(self) -> str:
        """The model's name, as it is sent."""
        return str(self.request["model"])


class KeyReader:
    """Reads keys from where the settings say they are.

    Args:
        environment: the environment's variables.
        load_secret: gives the content of a Prefect Secret block by its name.
    """

    def __init__(self, environment: Mapping[str, str], load_secret: Callable[[str], str]) -> None:
        self._environment = environment
        self._load_secret = load_secret
        self.found_plain = False

    def read(self, key: str | None, setting: str, base_url: str | None) -> str:
        """The key itself; `setting` is its place, for the message, and `base_url` where it is sent.

        Raises:
            UserMistake: there is no such variable or block, or it holds what no key can be.
        """
        found = self._find(key, setting, base_url).strip()
        if not found.isascii() or not found.isprintable():
            raise UserMistake(f"{setting}: the key holds characters that no key can have: copy it again")
        return found

    def _find(self, key: str | None, setting: str, base_url: str | None) -> str:
        if not key:
            # That variable's key is OpenAI's, and nobody else's to see.
            is_openai = base_url is None or urlsplit(base_url).hostname == "api.openai.com"
            return (is_openai and self._environment.get("OPENAI_API_KEY")) or NO_KEY
        if key.startswith(("$", "secret:")) and not is_reference(key):
            raise UserMistake(f"{setting} is {key!r}: write ${{NAME}} for a variable, secret:NAME for a Prefect Secret block")
        if not is_reference(key):
            self.found_plain = True
            return key
        if key.startswith("secret:"):
            return self._load_secret(key.removeprefix("secret:"))
        name = key[2:-1]
        if not self._environment.get(name):
            raise UserMistake(f"{setting} is {key}, and the environment has no variable {name}: export it first")
        return self._environment[name]


def find_generator(config: Config, keys: KeyReader, local_url: str | None) -> Endpoint:
    """The generator that the settings describe; `local_url` is where a server of our own is asked.

    Raises:
        UserMistake: its address is missing, its key cannot be found, or it needs what is not supported.
    """
    settings = config.model.generator_settings
    is_local = settings.boot_local or config.model.generator.generator_type == "llamacpp"
    url = local_url if is_local else _generator_url(config.model.generator.generator_type, settings)
    request: JsonObject = {"model": settings.model}
    if settings.temperature is not None:
        request["temperature"] = settings.temperature
    if settings.max_tokens is not None:
        request["max_tokens"] = settings.max_tokens
    key = keys.read(settings.api_key, "model.generator_settings.api_key", url or ("local" if is_local else None))
    return Endpoint("generator", url, key, {**request, **settings.extra})


def find_grader(config: Config, config_folder: Path, keys: KeyReader, generator: Endpoint) -> Endpoint | None:
    """The grader that the settings name; None when they name none. `self` is the generator, grading its own answers.

    Raises:
        UserMistake: the model servers file has no such entry, or the entry's key cannot be found.
    """
    shortname, servers_file = config.model.grader_shortname, config.model.model_config_file
    if not shortname:
        return None
    server = find_model_server(shortname, servers_file, config_folder)
    if server is None and shortname == SELF_GRADER:
        request = {**GRADER_REQUEST, "model": generator.model, "response_format": VERDICT_FORMAT}
        return replace(generator, role="grader", request=request)
    if server is None:
        known = ", ".join(list_model_servers(servers_file, config_folder)) or "none, or there is no such file"
        raise UserMistake(
            f"the grader {shortname!r} is not in {servers_file} (it holds: {known}); "
            "name one of these with --grader, or another file with --model-config"
        )
    setting = f"openai_api_key of {shortname!r} in {servers_file}"
    key = keys.read(server.openai_api_key, setting, server.openai_api_base)
    request = {"model": server.openai_model, **GRADER_REQUEST, **server.extra}
    return Endpoint("grader", server.openai_api_base, key, request)


def _generator_url(kind: str, settings: GeneratorSettings) -> str | None:
    if settings.base_url:
        return settings.base_url
    if kind == "vllm":
        if not settings.server:
            raise UserMistake("model.generator_settings.server is missing: a vllm generator needs server and port")
        return f"http://{settings.server}:{settings.port or 8000}/v1"
    if kind == "argo":
        raise UserMistake("model.generator_settings.base_url is missing: an argo generator needs it")
    return None


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
