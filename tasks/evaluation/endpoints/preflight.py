"""A cheap check of an endpoint before the first question: is it there, does it accept the key, does it know the model?"""

import asyncio
import time
from collections.abc import Callable

from tasks.evaluation.endpoints.address import Address
from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.endpoint import Endpoint
from tasks.evaluation.endpoints.fleet import Fleet
from tasks.evaluation.endpoints.listed_models import ListedModel, find_meant, find_nearest, find_other_model, is_listed
from tasks.evaluation.errors import EndpointFailure, EndpointStop, KeyRenewed, UserMistake

PAUSE_SECONDS = 0.5
MOST_MODELS = 10


async def check_endpoint(client: Client, notify: Callable[[str], None]) -> None:
    """Check what can be checked without asking a question.

    An endpoint that lists no models is fine. A model that it does not list is a mistake only where that is beyond doubt, and
    the model has not answered before; else it is a warning, and the first question will tell. Of several addresses those that
    cannot be asked are left alone, as long as there are others.

    Raises:
        UserMistake: nothing answers at its address, it does not accept the key or a command fails to print it, or the model's
            name is wrong; or one of several addresses serves another model.
    """
    if client.fleet:
        await _check_fleet(client, client.fleet, notify)
        return
    [address] = client.addresses
    try:
        models = await _list_models(client, address)
    except (EndpointFailure, EndpointStop) as error:
        raise _describe_mistake(address, error) from None
    _check_name(client, address.endpoint, models, notify)


async def _check_fleet(client: Client, fleet: Fleet, notify: Callable[[str], None]) -> None:
    if fleet.file and not fleet.members:
        notify(f"⚠️ {fleet.file.path} lists no address yet, waiting for {client.patience.max_outage_seconds:,.0f} s at most")
        return
    outcomes = await asyncio.gather(*(_list_models(client, member.address) for member in fleet.members), return_exceptions=True)
    looks = list(zip(fleet.members, outcomes, strict=True))
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, EndpointFailure | EndpointStop):
            raise outcome
    failed = [(member, error) for member, error in looks if isinstance(error, EndpointFailure | EndpointStop)]
    # The servers of a file may still be starting.
    may_come = fleet.file and any(isinstance(error, EndpointFailure) for _, error in failed)
    if len(failed) == len(looks) and not may_come:
        member, error = failed[0]
        mistake = _describe_mistake(member.address, error)
        raise UserMistake(f"{mistake} (and none of the other addresses can be asked)") if len(looks) > 1 else mistake
    fleet.leave_alone(failed)
    listing = [(member, models) for member, models in looks if isinstance(models, list)]
    if not listing:
        return
    first, fleet.listed = listing[0]
    _check_name(client, first.address.endpoint, fleet.listed, notify)
    for member, models in listing[1:]:
        endpoint = member.address.endpoint
        if other := find_other_model(endpoint.model, models, fleet.listed):
            raise UserMistake(
                f"the {endpoint.role} at {member.shown_url} serves {other}, and not {endpoint.model!r} as "
                f"{first.shown_url} does: fix its address in {endpoint.origin}, or remove it"
            )


def _describe_mistake(address: Address, error: EndpointFailure | EndpointStop) -> UserMistake:
    endpoint = address.endpoint
    if isinstance(error, EndpointStop):
        return UserMistake(f"{error} (see {endpoint.origin})")
    return UserMistake(f"{error}; nothing answers at {endpoint.shown_url}: start it, or fix its address in {endpoint.origin}")


def _check_name(client: Client, endpoint: Endpoint, models: list[ListedModel], notify: Callable[[str], None]) -> None:
    """Check the model's name by what the endpoint lists.

    Raises:
        UserMistake: it is wrong beyond doubt.
    """
    if not models or is_listed(endpoint.model, models):
        return
    more = f" and {len(models) - MOST_MODELS:,} more" if len(models) > MOST_MODELS else ""
    names = f"{', '.join(model.name for model in models[:MOST_MODELS])}{more}"
    words = f"the {endpoint.role} at {endpoint.shown_url} does not list the model {endpoint.model!r}"
    meant = None if client.is_proven else find_meant(endpoint.model, models, endpoint.base_url or "")
    if meant:
        raise UserMistake(f"{words}: did you mean {meant!r}? It lists: {names}. Fix the name in {endpoint.origin}")
    nearest = find_nearest(endpoint.model, models)
    hint = f" (did you mean {nearest!r}?)" if nearest else ""
    notify(f"⚠️ {words[0].upper()}{words[1:]}{hint}; it lists: {names}")


async def _list_models(client: Client, address: Address) -> list[ListedModel]:
    """Return the models that the endpoint lists at this address.

    Raises:
        EndpointFailure: it could not be reached, even after several attempts.
        EndpointStop: it does not accept the key.
    """
    began = time.monotonic()
    while True:
        try:
            return await address.transport.list_models(client.patience.list_seconds)
        except TimeoutError:
            return []
        except KeyRenewed:
            continue
        except EndpointFailure:
            if time.monotonic() - began > client.patience.look_seconds:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
