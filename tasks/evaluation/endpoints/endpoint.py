"""Endpoints: where the generator and the grader are, with which key, and what is sent to them besides the messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from tasks.evaluation.config.addresses import WeightedUrl, read_line, read_servers
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.generator_settings import GeneratorSettings
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.model_servers import find_model_server, list_model_servers
from tasks.evaluation.config.rag_settings import EncoderSettings
from tasks.evaluation.config.secrets import Scrubber, list_secrets, mask_urls
from tasks.evaluation.config.urls import is_open_to_others, split_query
from tasks.evaluation.endpoints.apis import Api
from tasks.evaluation.endpoints.key_sources import InClear, KeySources, Places
from tasks.evaluation.endpoints.tokens import Role
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject

SELF_GRADER = "self"
GENERATOR_SETTINGS, ENCODER_SETTINGS = "model.generator_settings", "rag.retriever_config.encoder_config"
GRADER_REQUEST: JsonObject = {"temperature": 0.0, "max_tokens": 1000}
# Each costs time with each answer, in which it is looked for; a request that was sent with the oldest has long ended.
MOST_FORMER_SECRETS = 50
# What a reply must contain to be graded by its first token; 20 is the most that OpenAI allows.
FIRST_TOKEN_REQUEST: JsonObject = {"logprobs": True, "top_logprobs": 20}
# A generator that grades itself is often too small to write JSON unless its server makes it.
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


@dataclass(frozen=True)
class Endpoint:
    """A model behind an OpenAI-compatible address."""

    role: Role
    """What it is asked for."""

    base_url: str | None = field(repr=False)
    """Its address; None: a server of our own that was not started."""

    api_key: str = field(repr=False)
    """Its key, in clear."""

    request: JsonObject = field(repr=False)
    """All that is sent besides the messages."""

    origin: str = "the settings"
    """The place of its settings, for messages."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Headers of each request, in clear. They say who asks and by which way, and are not part of an answer's identity."""

    sources: KeySources | None = field(default=None, repr=False)
    """Where its keys are read again; None: they never change."""

    api: Api = "chat"
    """Which requests it takes."""

    former_secrets: tuple[str, ...] = field(default=(), repr=False)
    """What its keys were before: no text may show them either."""

    weight: float = 1.0
    """Its share of the requests, beside the other addresses."""

    others: tuple["Endpoint", ...] = field(default=(), repr=False)
    """The same model at its other addresses."""

    @property
    def addresses(self) -> list["Endpoint"]:
        """Return the endpoint at each of its addresses, this one first."""
        return [self, *self.others]

    def asked_as(self, role: Role, request: JsonObject) -> "Endpoint":
        """Return the same model at the same addresses, asked for something else."""
        others = tuple(each.asked_as(role, request) for each in self.others)
        return replace(self, role=role, request=request, others=others)

    @property
    def secrets(self) -> list[str]:
        """Return what no text may show: the key, headers, values in the address, what requests hold under a secret's name."""
        return [*self._present_secrets, *self.former_secrets]

    @property
    def _present_secrets(self) -> list[str]:
        in_clear = [] if self.api_key == NO_KEY else [self.api_key]
        # A scheme before a header's secret is often left out where the secret is repeated.
        headers = [each for value in self.headers.values() for each in dict.fromkeys([value, value.split()[-1]])]
        return [*in_clear, *headers, *split_query(self.base_url or "")[1].values(), *list_secrets(self.request)]

    @property
    def is_open_to_others(self) -> bool:
        """Return True if its secrets can be read on their way."""
        has_secrets = bool(self.secrets) or (self.sources is not None and bool(self.sources.list_printed()))
        return has_secrets and is_open_to_others(self.base_url or "")

    @property
    def in_clear(self) -> InClear:
        """Return its keys as they are now."""
        return InClear(self.api_key, self.headers, self.base_url)

    def with_keys(self, keys: InClear) -> "Endpoint":
        """Return the same endpoint with these keys, which still knows its former ones, the newest of them first."""
        former = tuple(dict.fromkeys([*self._present_secrets, *self.former_secrets]))[:MOST_FORMER_SECRETS]
        return replace(self, api_key=keys.api_key, headers=keys.headers, base_url=keys.base_url, former_secrets=former)

    def scrub_words(self, words: str) -> str:
        """Return what the server or a library says, without the secrets, which servers like to repeat."""
        return mask_urls(Scrubber(self.secrets)(words))

    @property
    def model(self) -> str:
        """Return the model's name, as it is sent."""
        return str(self.request["model"])

    @property
    def shown_url(self) -> str:
        """Return the address for messages, without what may be secret in it."""
        return mask_urls(self.base_url or "this machine")


def find_generator(config: Config, keys: KeyReader, local_url: str | None) -> Endpoint:
    """Return the generator that the settings describe; `local_url` is the address of a server that we started, if any.

    Raises:
        UserMistake: its address is missing, its key cannot be found, or it needs what is not supported.
    """
    settings = config.model.generator_settings
    is_local = settings.boot_local or config.model.generator.generator_type == "llamacpp"
    kind = config.model.generator.generator_type
    urls = [local_url] if is_local else _list_generator_urls(kind, settings) or [keys.default_url]
    places = Places(*(f"{GENERATOR_SETTINGS}.{name}" for name in ("api_key", "headers", "base_url")))
    sources = KeySources(keys, places, settings.api_key, settings.headers, None, settings.refresh_seconds)
    request = _make_request(settings, by_first_token=config.grading == "logprobs")
    return _place(Endpoint("generator", None, NO_KEY, request, origin=GENERATOR_SETTINGS, sources=sources), urls)


def _place(endpoint: Endpoint, urls: Sequence[str | WeightedUrl | None]) -> Endpoint:
    """Return the endpoint at these addresses, with the keys that belong there."""
    first, *others = [_place_at(endpoint, url) for url in urls]
    return replace(first, others=tuple(others))


def _place_at(endpoint: Endpoint, url: str | WeightedUrl | None) -> Endpoint:
    assert endpoint.sources
    bare, weight = url if isinstance(url, WeightedUrl) else (url, 1.0)
    sources = replace(endpoint.sources, base_url=bare)
    keys = sources.read()
    return replace(endpoint, base_url=keys.base_url, api_key=keys.api_key, headers=keys.headers, sources=sources, weight=weight)


def _make_request(settings: GeneratorSettings, *, by_first_token: bool) -> JsonObject:
    """Return all that is sent to the generator besides the messages; `extra` overrides everything else."""
    request: JsonObject = {"model": settings.model, "temperature": settings.temperature, "max_tokens": settings.max_tokens}
    if by_first_token:
        request |= FIRST_TOKEN_REQUEST
        request["max_tokens"] = settings.max_tokens if "max_completion_tokens" in settings.extra else 1
    return _drop_nulls(request | settings.extra)


def find_judge(config: Config, config_folder: Path, keys: KeyReader, generator: Endpoint) -> Endpoint | None:
    """Return the grader that the settings name, if any. `self` is the generator, grading its own answers.

    Raises:
        UserMistake: the model servers file has no such entry, or the entry's key cannot be found.
    """
    shortname, servers_file = config.model.grader_shortname, config.model.model_config_file
    if not shortname:
        return None
    server = find_model_server(shortname, servers_file, config_folder)
    if server is None and shortname == SELF_GRADER:
        return generator.asked_as("grader", _make_self_request(generator.request))
    if server is None:
        known = ", ".join(list_model_servers(servers_file, config_folder)) or "none, or there is no such file"
        raise UserMistake(
            f"the grader {shortname!r} is not in {servers_file} (it holds: {known}); "
            "name one of these with --grader, or another file with --model-config"
        )
    named = (f"{name} of {shortname!r} in {servers_file}" for name in ("openai_api_key", "headers", "openai_api_base"))
    sources = KeySources(keys, Places(*named), server.openai_api_key, server.headers, None, server.refresh_seconds)
    request = _drop_nulls({"model": server.openai_model, **GRADER_REQUEST, **server.extra})
    origin = f"the entry {shortname!r} of {servers_file}"
    return _place(Endpoint("grader", None, NO_KEY, request, origin=origin, sources=sources), _list_urls(server.openai_api_base))


def find_encoder(settings: EncoderSettings, keys: KeyReader) -> Endpoint:
    """Return the endpoint that makes questions into vectors; `UserMistake` if its key cannot be found."""
    places = Places(*(f"{ENCODER_SETTINGS}.{name}" for name in ("api_key", "headers", "base_url")))
    sources = KeySources(keys, places, settings.api_key, settings.headers, None)
    request, url = _drop_nulls({"model": settings.model, **settings.extra}), settings.base_url or keys.default_url
    return _place(Endpoint("encoder", None, NO_KEY, request, ENCODER_SETTINGS, sources=sources, api="embeddings"), [url])


def _drop_nulls(request: JsonObject) -> JsonObject:
    """Return the settings that are sent: those that are not null."""
    return {name: value for name, value in request.items() if value is not None}


def _make_self_request(generator: JsonObject) -> JsonObject:
    """Return a grader's settings for a generator that grades itself, without those that it does not accept."""
    settings = {name: value for name, value in GRADER_REQUEST.items() if name in generator}
    if "max_completion_tokens" in generator:
        settings["max_completion_tokens"] = generator["max_completion_tokens"]
    return {**settings, "model": generator["model"], "response_format": VERDICT_FORMAT}


def list_key_warnings(endpoints: Iterable[Endpoint | None], *, found_plain: bool) -> list[str]:
    """Return warnings about how keys are kept and sent, one a line."""
    warnings = (
        ["⚠️ An API key stands in clear in the settings: write ${NAME} or secret:NAME in its place"] if found_plain else []
    )
    addresses = [address for each in endpoints if each for address in each.addresses]
    hosts = {urlsplit(each.base_url).hostname: None for each in addresses if each.is_open_to_others}
    if hosts:
        shown = ", ".join(map(str, hosts))
        warnings.append(f"⚠️ An API key is sent to {shown} without encryption: use https:// where the server has it")
    return warnings


def _list_generator_urls(kind: str, settings: GeneratorSettings) -> list[str | WeightedUrl]:
    if settings.base_url:
        return _list_urls(settings.base_url)
    if kind == "vllm":
        if not settings.server:
            raise UserMistake("model.generator_settings.server is missing: a vllm generator needs server and port")
        if isinstance(settings.server, str):
            return [f"http://{settings.server}:{settings.port or 8000}/v1"]
        return [*read_servers(settings.server, settings.port)]
    if kind == "argo":
        raise UserMistake("model.generator_settings.base_url is missing: an argo generator needs it")
    return []


def _list_urls(base_url: str | list[str]) -> list[str | WeightedUrl]:
    """Return the addresses that a setting names; one that stands alone is taken as it is."""
    return [base_url] if isinstance(base_url, str) else [read_line(each) for each in base_url]
