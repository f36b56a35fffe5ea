"""A cheap check of an endpoint before the first question: is it there, does it accept the key, does it know the model?"""

import asyncio
import time
from collections.abc import Callable

from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.endpoints.listed_models import ListedModel, find_meant, find_nearest, is_listed
from tasks.evaluation.errors import EndpointFailure, EndpointStop, KeyRenewed, UserMistake

PAUSE_SECONDS = 0.5
MOST_MODELS = 10


async def check_endpoint(client: Client, notify: Callable[[str], None]) -> None:
    """Check what can be checked without asking a question.

    An endpoint that lists no models is fine. A model that it does not list is a mistake only where that is beyond doubt, and
    the model has not answered before; else it is a warning, and the first question will tell.

    Raises:
        UserMistake: nothing answers at its address, it does not accept the key or a command fails to print it, or the model's
            name is wrong.
    """
    endpoint = client.endpoint
    try:
        models = await _list_models(client)
    except EndpointFailure as failure:
        raise UserMistake(
            f"{failure}; nothing answers at {endpoint.shown_url}: start it, or fix its address in {endpoint.origin}"
        ) from None
    except EndpointStop as stop:
        raise UserMistake(f"{stop} (see {endpoint.origin})") from None
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


async def _list_models(client: Client) -> list[ListedModel]:
    """Return the models that the endpoint lists.

    Raises:
        EndpointFailure: it could not be reached, even after several attempts.
        EndpointStop: it does not accept the key.
    """
    began = time.monotonic()
    while True:
        try:
            return await client.transport.list_models(client.patience.list_seconds)
        except TimeoutError:
            return []
        except KeyRenewed:
            continue
        except EndpointFailure:
            if time.monotonic() - began > client.patience.look_seconds:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
