"""The endpoints that the settings describe: where they are, with which keys, and what is sent there besides the messages."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tasks.evaluation.config.addresses import WeightedUrl, find_file, name_server, read_line, read_servers
from tasks.evaluation.config.config import Config
from tasks.evaluation.config.generator_settings import GeneratorSettings
from tasks.evaluation.config.keys import NO_KEY, KeyReader
from tasks.evaluation.config.model_servers import find_model_server, list_model_servers
from tasks.evaluation.config.rag_settings import EncoderSettings
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.key_sources import KeySources, Places
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.json_lines import JsonObject

SELF_GRADER = "self"
GENERATOR_SETTINGS, ENCODER_SETTINGS = "model.generator_settings", "rag.retriever_config.encoder_config"
GRADER_REQUEST: JsonObject = {"temperature": 0.0, "max_tokens": 1000}
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


def find_generator(config: Config, keys: KeyReader, local_urls: Sequence[str] = ()) -> Endpoint:
    """Return the generator that the settings describe; `local_urls` are the addresses of servers that we started.

    Raises:
        UserMistake: its address is missing, its key cannot be found, or it needs what is not supported.
    """
    settings = config.model.generator_settings
    kind = config.model.generator.generator_type
    places = Places(*(f"{GENERATOR_SETTINGS}.{name}" for name in ("api_key", "headers", "base_url")))
    sources = KeySources(keys, places, settings.api_key, settings.headers, None, settings.refresh_seconds)
    request = _make_request(settings, by_first_token=config.grading == "logprobs")
    generator = Endpoint("generator", None, NO_KEY, request, origin=GENERATOR_SETTINGS, sources=sources, prices=settings.prices)
    if settings.boot_local or kind == "llamacpp":
        first, *others = [generator.at(url) for url in local_urls] or [generator.at(None)]
        return replace(first, others=tuple(others))
    return _place(generator, settings.base_url or _find_servers(kind, settings) or keys.default_url)


def _place(endpoint: Endpoint, base: str | list[str] | list[WeightedUrl]) -> Endpoint:
    """Return the endpoint at the addresses that a setting names; those of a file are not read yet."""
    if isinstance(base, str):
        path = find_file(base)
        return replace(endpoint.at(None), address_file=path) if path else endpoint.at(base)
    first, *others = [endpoint.at(*(read_line(each) if isinstance(each, str) else each)) for each in base]
    return replace(first, others=tuple(others), is_listed=True)


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
    grader = Endpoint("grader", None, NO_KEY, request, origin=origin, sources=sources, prices=server.prices)
    return _place(grader, server.openai_api_base)


def find_encoder(settings: EncoderSettings, keys: KeyReader) -> Endpoint:
    """Return the endpoint that makes questions into vectors; `UserMistake` if its key cannot be found."""
    places = Places(*(f"{ENCODER_SETTINGS}.{name}" for name in ("api_key", "headers", "base_url")))
    sources = KeySources(keys, places, settings.api_key, settings.headers, None)
    request, url = _drop_nulls({"model": settings.model, **settings.extra}), settings.base_url or keys.default_url
    encoder = Endpoint(
        "encoder", None, NO_KEY, request, ENCODER_SETTINGS, sources=sources, api="embeddings", prices=settings.prices
    )
    return _place(encoder, url)


def _drop_nulls(request: JsonObject) -> JsonObject:
    """Return the settings that are sent: those that are not null."""
    return {name: value for name, value in request.items() if value is not None}


def _make_self_request(generator: JsonObject) -> JsonObject:
    """Return a grader's settings for a generator that grades itself, without those that it does not accept."""
    settings = {name: value for name, value in GRADER_REQUEST.items() if name in generator}
    if "max_completion_tokens" in generator:
        settings["max_completion_tokens"] = generator["max_completion_tokens"]
    return {**settings, "model": generator["model"], "response_format": VERDICT_FORMAT}


def _find_servers(kind: str, settings: GeneratorSettings) -> str | list[WeightedUrl] | None:
    """Return where a generator is whose settings hold no `base_url`; None: where the openai package would look."""
    if kind == "vllm":
        if not settings.server:
            raise UserMistake("model.generator_settings.server is missing: a vllm generator needs server and port")
        if isinstance(settings.server, str):
            return name_server(settings.server, settings.port)
        return read_servers(settings.server, settings.port)
    if kind == "argo":
        raise UserMistake("model.generator_settings.base_url is missing: an argo generator needs it")
    return None
