"""The settings of the generator: where it is, and how it is asked."""

from typing import Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from tasks.evaluation.config.addresses import Addresses, Servers, check_one, check_server, read_servers
from tasks.evaluation.config.prices import Prices, require_completion
from tasks.evaluation.config.settings import Settings
from tasks.evaluation.config.urls import check_extra, check_headers


class Generator(Settings):
    """The generator's kind of endpoint."""

    generator_type: Literal["vllm", "argo", "openai", "llamacpp"] = "openai"
    """How the address is given; `llamacpp` starts a server on this machine. All kinds speak the same protocol."""


class GeneratorSettings(Settings):
    """The generator: where it is, and how it is asked."""

    model: str = Field(min_length=1)
    """The model's name, as the endpoint knows it."""
    base_url: Addresses | None = None
    """The endpoint's address, up to `/v1`, or a list of such addresses, which share the requests, or `file:PATH`."""
    server: Servers | None = None
    """A vLLM server as `host` or `host:port`, instead of `base_url`, or a list of them."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """The port of servers that name none."""
    api_key: str | None = None
    """`${NAME}`: a variable; `secret:name`: a Prefect block; `command: …`: what a command prints; or a key, with a warning."""
    refresh_seconds: float | None = Field(default=None, ge=1)
    """Read the key again after this many seconds; None: only when the endpoint refuses it."""
    temperature: float | None = Field(default=0.0, ge=0)
    """The sampling temperature; None: not sent."""
    max_tokens: int | None = Field(default=1024, ge=1)
    """The length limit of a reply, in tokens; None: not sent."""
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """Further members of each request, which override all others."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of each request; values may be `${NAME}`, `secret:name` or `command: …`. Not part of the identity."""
    revision: str | None = None
    """Free text that tells versions of a model apart; part of the identity."""
    prices: Prices | None = None
    """What its tokens cost; None: what the endpoint says of each reply counts, else its provider's public prices."""
    boot_local: bool = False
    """Start the model server on this machine."""
    data_parallel_size: int = Field(default=1, ge=1, le=64)
    """The number of local vLLM servers, each with GPUs of its own."""
    hf_model_id: str | None = None
    """The weights that a local server loads, if they are not named like the model."""
    auto_port: bool = True
    """Start the local server on a free port."""
    local_host: str = "127.0.0.1"
    """The address that the local server listens on."""
    server_startup_timeout: float = Field(default=120, gt=0)
    """The number of seconds that a local server may take to start."""
    vllm_args: dict[str, JsonValue] = Field(default_factory=dict)
    """Further arguments for a local vLLM server."""
    enable_batching: bool = False
    """Accepted but not needed: `parallel_workers` questions are in flight."""
    batch_size: int = 8
    """The same."""
    batch_timeout: float = 1.0
    """The same."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, base_url: str | list[str] | None) -> str | list[str] | None:
        return check_one(base_url) if base_url and isinstance(base_url, str) else base_url

    @field_validator("server")
    @classmethod
    def _check_server(cls, server: str | list[str] | None) -> str | list[str] | None:
        return check_server(server) if isinstance(server, str) else server

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return check_extra(extra)

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        return check_headers(headers)

    _check_prices = field_validator("prices")(require_completion)

    @model_validator(mode="after")
    def _refuse_repeated_servers(self) -> Self:
        if isinstance(self.server, list):
            try:
                read_servers(self.server, self.port)
            except ValueError as error:
                raise ValueError(f"server: {error}") from None
        return self
