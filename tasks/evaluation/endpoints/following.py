"""Addresses of one model that come and go while it is asked."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from tasks.evaluation.config.addresses import WeightedUrl, name_place
from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.fleet import Fleet
from tasks.evaluation.errors import EndpointStop, EvaluationError

# More of them would push the rest off the screen.
MOST_NAMES = 3


class Following:
    """Keeps the addresses at which a client asks as they are listed now. To be used on one event loop only.

    They are listed in the settings or in a file, until `replace` gives others.

    Args:
        client: asks the model.
        fleet: its addresses.
        notify: takes what the user should know.
        take_count: takes the number of addresses whenever it has changed.
    """

    def __init__(self, client: Client, fleet: Fleet, notify: Callable[[str], None], take_count: Callable[[int], None]) -> None:
        self.model = fleet.endpoint.model
        self._client = client
        self._fleet = fleet
        self._notify = notify
        self._take_count = take_count
        self._own = {name_place(each.written_url): each for each in fleet.endpoint.addresses}
        self._others: dict[str, WeightedUrl] | None = None
        self._unusable: set[str] = set()
        self._changing = asyncio.Lock()

    async def replace(self, others: Sequence[WeightedUrl] | None, source: str) -> None:
        """Ask at these addresses from now on; None: at those of the settings again.

        Those that the settings do not list get no key: whoever names them need not be the user.

        Args:
            others: the addresses, one at least.
            source: what has named them.
        """
        self._others = None if others is None else {name_place(each.url): each for each in others}
        await self._follow(source)

    async def follow_file(self) -> None:
        """Follow the file that lists the addresses, if there is one.

        Once it has listed nothing for longer than `max_outage_seconds`, the client is stopped.
        """
        patience, file = self._client.patience, self._fleet.file
        if file is None:
            return
        while (left_seconds := patience.max_outage_seconds - self._fleet.empty_seconds) >= 0:
            await asyncio.sleep(min(patience.reread_seconds, left_seconds + patience.settle_seconds))
            await file.read_again(patience.settle_seconds)
            # Also if it has not changed: the key for a new address may not have been found the last time.
            if self._others is None:
                await self._follow(file.path)
        self._client.stop(EndpointStop(f"{file.path} has listed no address for {patience.max_outage_seconds:,.0f} s"))

    def _list(self) -> Mapping[str, WeightedUrl]:
        """Return the addresses that are listed now, by their places."""
        if self._others is not None:
            return self._others
        if self._fleet.file:
            return {name_place(each.url): each for each in self._fleet.file.listed}
        return {place: WeightedUrl(each.written_url, each.weight) for place, each in self._own.items()}

    async def _follow(self, source: str) -> None:
        async with self._changing:
            listed, present = self._list(), {member.place: member for member in self._fleet.members}
            removed = [member for place, member in present.items() if place not in listed]
            for member in removed:
                self._fleet.remove(member)
            for place in present.keys() & listed.keys():
                present[place].weight = listed[place].weight
            added = [each for place, each in listed.items() if place not in present and await self._add(place, each)]
        if added or removed:
            names = _describe("added", (each.url for each in added))
            names += _describe("removed", (member.address.endpoint.written_url for member in removed))
            count = len(self._fleet.members)
            self._notify(f"{source}: {count} address{'' if count == 1 else 'es'} now; {'; '.join(names)}")
            self._take_count(count)

    async def _add(self, place: str, listed: WeightedUrl) -> bool:
        """Add an address, if the keys that belong there can be read."""
        try:
            endpoint = await self._make_endpoint(place, listed)
        except EvaluationError as error:
            if place not in self._unusable:
                self._unusable.add(place)
                self._notify(f"⚠️ {mask_urls(listed.url)} is not asked: {error}")
            return False
        self._fleet.add(endpoint, is_new=True)
        return True

    async def _make_endpoint(self, place: str, listed: WeightedUrl) -> Endpoint:
        """Return the model at a new address.

        Raises:
            EvaluationError: its key cannot be read.
        """
        if place in self._own:
            return replace(self._own[place], weight=listed.weight, others=())
        if self._fleet.file and place in {name_place(each.url) for each in self._fleet.file.listed}:
            # Keys may be kept on Prefect's server.
            return await asyncio.to_thread(self._fleet.endpoint.at, *listed)
        return self._fleet.endpoint.at_without_keys(*listed)


def _describe(change: str, urls: Iterable[str]) -> list[str]:
    names = [mask_urls(url) for url in urls]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return [f"{change} {', '.join(names[:MOST_NAMES])}{more}"] if names else []
