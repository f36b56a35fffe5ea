"""The present flow run, as its own process knows it."""

from prefect.context import FlowRunContext

# How the message of a state says that its deployment's run can be continued, behind what has been saved.
RETRY_ASKS = "Retry asks what is missing"


def is_of_deployment() -> bool:
    """Return True if a deployment has started the present flow run.

    `prefect.runtime` knows it too, but asks the server whenever a run has none, and fails if the server has gone.
    """
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.deployment_id is not None
