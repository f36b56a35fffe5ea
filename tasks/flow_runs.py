"""The present flow run, as its own process knows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.context import FlowRunContext

# How the message of a state says that its deployment's run can be continued, behind what has been saved.
RETRY_ASKS = "Retry asks what is missing"


def is_of_deployment() -> bool:
    """Return True if a deployment has started the present flow run.

    `prefect.runtime` knows it too, but asks the server whenever a run has none, and fails if the server has gone.
    """
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.deployment_id is not None


_is_within: ContextVar[bool] = ContextVar("is_within_deployment", default=False)


@contextmanager
def calling_flows() -> Iterator[None]:
    """Let the sub-flows that are called within the block know whether a deployment has started the present flow run."""
    token = _is_within.set(belongs_to_deployment())
    try:
        yield
    finally:
        _is_within.reset(token)


def belongs_to_deployment() -> bool:
    """Return True if a deployment has started the present flow run, or the run that has called it."""
    return is_of_deployment() or _is_within.get()
