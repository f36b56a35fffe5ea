"""Endpoints: where the generator and the grader are, with which key, and what is sent to them besides the messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from tasks.evaluation.config.keys import NO_KEY, OPENAI_URL
from tasks.evaluation.config.prices import Prices
from tasks.evaluation.config.secrets import Scrubber, list_secrets, mask_urls
from tasks.evaluation.config.urls import is_open_to_others, split_query
from tasks.evaluation.endpoints.apis import Api
from tasks.evaluation.endpoints.key_sources import InClear, KeySources
from tasks.evaluation.json_lines import JsonObject
from tasks.evaluation.spending.pricing import Pricing
from tasks.evaluation.spending.tokens import Role

# Each costs time with each answer, in which it is looked for; a request that was sent with the oldest has long ended.
MOST_FORMER_SECRETS = 50


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

    address_file: str | None = None
    """The file that lists its addresses; None: they are in the settings."""

    is_listed: bool = False
    """The settings hold a list of addresses, be it of one alone."""

    prices: Prices | None = None
    """What its tokens cost, as the settings say; None: they do not."""

    @property
    def addresses(self) -> list["Endpoint"]:
        """Return the endpoint at each address that the settings hold, this one first."""
        return [] if self.address_file else [self, *self.others]

    @property
    def pricing(self) -> Pricing:
        """Return what its replies cost."""
        url = self.base_url or ("" if self.address_file else OPENAI_URL)
        return Pricing(self.model, url, self.prices)

    @property
    def may_have_others(self) -> bool:
        """Return True if it is one of several addresses, or may become one while it is asked."""
        return bool(self.others or self.address_file or self.is_listed)

    @property
    def written_url(self) -> str:
        """Return the address as it is written, before keys in it were read, which may spell it otherwise."""
        return (self.sources and self.sources.base_url) or self.base_url or ""

    def at_without_keys(self, url: str, weight: float = 1.0) -> "Endpoint":
        """Return the same model at an address that must see no key."""
        placed = replace(self, base_url=url, weight=weight, api_key=NO_KEY, headers={}, sources=None)
        return replace(placed, others=(), address_file=None, is_listed=False)

    def at(self, url: str | None, weight: float = 1.0) -> "Endpoint":
        """Return the same model at this address alone, with the keys that belong there. To read them may take a while.

        Raises:
            UserMistake: a key cannot be found, or is no key.
            ServerFailure: Prefect's server does not give a Secret block.
        """
        assert self.sources
        sources = replace(self.sources, base_url=url)
        placed = replace(self, sources=sources, weight=weight, others=(), address_file=None)
        keys = sources.read()
        return replace(placed, base_url=keys.base_url, api_key=keys.api_key, headers=keys.headers)

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
        return mask_urls(self.base_url or self.address_file or "this machine")


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
