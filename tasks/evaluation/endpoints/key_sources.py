"""Where an endpoint's keys are kept, so that they can be read again while it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tasks.evaluation.config.keys import KeyReader
from tasks.evaluation.config.printed_keys import PrintedKey


class Places(NamedTuple):
    """The names of settings, for messages."""

    key: str
    """The key's."""
    headers: str
    """The headers'."""
    url: str
    """The address's."""


@dataclass(frozen=True)
class InClear:
    """What says who asks, in clear."""

    api_key: str = field(repr=False)
    """The key."""
    headers: Mapping[str, str] = field(repr=False)
    """The headers of each request."""
    base_url: str | None = field(repr=False)
    """The address, whose query may hold keys."""


@dataclass(frozen=True)
class KeySources:
    """The settings that hold an endpoint's keys, or say where they are."""

    reader: KeyReader
    """Reads them there."""
    places: Places
    """Which settings they are."""
    api_key: str | None = field(repr=False)
    """The key as it is written."""
    headers: Mapping[str, str] = field(repr=False)
    """The headers as they are written."""
    base_url: str | None = field(repr=False)
    """The address as it is written."""
    refresh_seconds: float | None = None
    """After how many seconds they are read again, refused or not; None: only when they are refused."""

    def read(self) -> InClear:
        """Return the keys as they are now; where a command prints one, what it has printed last. It may take a while.

        Raises:
            UserMistake: one of them cannot be found, or is no key.
            ServerFailure: Prefect's server does not give a Secret block.
        """
        return InClear(
            self.reader.read(self.api_key, self.places.key, self.base_url),
            self.reader.read_headers(self.headers, self.places.headers),
            self.reader.read_url(self.base_url, self.places.url) if self.base_url else None,
        )

    def list_printed(self) -> list[PrintedKey]:
        """Return those of the keys that commands print."""
        return self.reader.list_printed(self.api_key, self.headers, self.places.key)
