"""Addresses of one model that come and go while it is asked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from tasks.evaluation.config.addresses import WeightedUrl, name_place
from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.endpoints.address_file import AddressFile
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.fleet import Fleet
from tasks.evaluation.errors import EndpointStop, EvaluationError

# More of them would push the rest off the screen.
MOST_NAMES = 3


class Following:
    """Keeps the addresses at which a client asks as a file lists them. To be used on one event loop only.

    Args:
        client: asks the model.
        fleet: the addresses.
        file: lists them.
        notify: takes what the user should know.
    """

    def __init__(self, client: Client, fleet: Fleet, file: AddressFile, notify: Callable[[str], None]) -> None:
        self._client = client
        self._fleet = fleet
        self._file = file
        self._notify = notify
        self._listed: list[WeightedUrl] | None = None

    async def go_on(self, take_count: Callable[[int], None]) -> None:
        """Follow the file until it has listed nothing for longer than `max_outage_seconds`, which stops the client.

        Args:
            take_count: takes the number of addresses whenever it has changed.
        """
        patience = self._client.patience
        while (left_seconds := patience.max_outage_seconds - self._fleet.empty_seconds) >= 0:
            await asyncio.sleep(min(patience.reread_seconds, left_seconds + patience.settle_seconds))
            changed = await self._file.find_change(patience.settle_seconds)
            self._listed = self._listed if changed is None else changed
            count = len(self._fleet.members)
            # Also if it has not changed: the key for a new address may not have been found the last time.
            if self._listed is not None:
                await self._follow({name_place(each.url): each for each in self._listed})
            if len(self._fleet.members) != count:
                take_count(len(self._fleet.members))
        self._client.stop(EndpointStop(f"{self._file.path} lists no address, for {patience.max_outage_seconds:,.0f} s now"))

    async def _follow(self, listed: Mapping[str, WeightedUrl]) -> None:
        present = {member.place: member for member in self._fleet.members}
        removed = [place for place in present if place not in listed]
        for place in removed:
            self._fleet.remove(present[place])
        for place in present.keys() & listed.keys():
            present[place].weight = listed[place].weight
        added = [each for place, each in listed.items() if place not in present and await self._add(each)]
        if added or removed:
            names = _describe("added", [mask_urls(each.url) for each in added])
            names += _describe("removed", [present[place].shown_url for place in removed])
            count = len(self._fleet.members)
            self._notify(f"{self._file.path} lists {count} address{'' if count == 1 else 'es'} now: {'; '.join(names)}")

    async def _add(self, listed: WeightedUrl) -> bool:
        """Add an address, if the keys that belong there can be read."""
        try:
            # Keys may be kept on Prefect's server.
            endpoint = await asyncio.to_thread(self._fleet.endpoint.at, *listed)
        except EvaluationError as error:
            self._file.tell(f"⚠️ {mask_urls(listed.url)} is not asked: {error}")
            return False
        self._fleet.add(endpoint, is_new=True)
        return True


def _describe(change: str, urls: Sequence[str]) -> list[str]:
    more = f" and {len(urls) - MOST_NAMES} more" if len(urls) > MOST_NAMES else ""
    return [f"{change} {', '.join(urls[:MOST_NAMES])}{more}"] if urls else []
