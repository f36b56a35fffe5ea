"""A cheap check of an endpoint before the first question: is it there, does it accept the key, does it know the model?"""

import asyncio
import time
from collections.abc import Callable

from tasks.evaluation.endpoints.client import Client
from tasks.evaluation.errors import EndpointFailure, EndpointStop, UserMistake

PAUSE_SECONDS = 0.5
MOST_MODELS = 10


async def check_endpoint(client: Client, notify: Callable[[str], None]) -> None:
    """Check what can be checked without asking a question.

    An endpoint that lists no models is fine. One that lists other models only causes a warning, because gateways know more
    names than they list, and the first question will tell.

    Raises:
        UserMistake: nothing answers at its address, or it does not accept the key.
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
    if models and endpoint.model not in models:
        more = f" and {len(models) - MOST_MODELS:,} more" if len(models) > MOST_MODELS else ""
        notify(
            f"⚠️ The {endpoint.role} at {endpoint.shown_url} does not list the model {endpoint.model!r}; "
            f"it lists: {', '.join(models[:MOST_MODELS])}{more}"
        )


async def _list_models(client: Client) -> list[str]:
    """Return the models that the endpoint lists.

    Raises:
        EndpointFailure: it could not be reached, even after several attempts.
        EndpointStop: it does not accept the key.
    """
    began = time.monotonic()
    while True:
        try:
            async with asyncio.timeout(client.patience.list_seconds):
                return await client.transport.list_models()
        except TimeoutError:
            return []
        except EndpointFailure:
            if time.monotonic() - began > client.patience.look_seconds:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
