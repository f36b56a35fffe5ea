"""Calls a flow in this process, as `mcqa score` does, and turns its outcome into an exit code. Imports Prefect."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from httpx import HTTPError
from prefect.client.schemas.objects import State
from prefect.exceptions import PrefectException
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_UI_ENABLED,
    get_current_settings,
    temporary_settings,
)

from flows.ending.end_watch import EndWatch, print_outcome
from flows.ending.state_error import find_error
from flows.opening.hand_over import hand_over
from flows.process.terminal import print_line
from flows.score_questions import score_questions
from flows.serving.server_health import require_server
from flows.serving.temporary_server import TemporaryServer, start_server
from tasks.audience import no_audience
from tasks.evaluation.config.overrides import Overrides
from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.errors import ServerFailure, UserMistake
from tasks.evaluation.run.start import Start

CONTINUE = "what has arrived is kept: run the same command again (after --no-auto-resume: with --resume-from) to continue"
WITHOUT_SERVER = "start it, or unset PREFECT_API_URL: the run then starts a server of its own"
# What Prefect and a run import late, and have ready by then if it is imported while the server starts.
NEEDED_LATER = ("fastapi.encoders", "tasks.evaluation.endpoints.http", "scipy.special")
# What is not needed with a server of the same installation, at which nobody can look. A flow that ends waits up to a second for
# its thread of heartbeats.
LEFT_OUT = {
    PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False,
    PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
    PREFECT_LOGGING_TO_API_ENABLED: False,
    PREFECT_SERVER_UI_ENABLED: False,
}


# Calls a flow, and returns the state that it ends in.
FlowCall = Callable[[], State]


def score_file(start: Start, config_file: str | None, overrides: Overrides, server: TemporaryServer | None) -> int:
    """Run the flow that scores a file, as `run_flow` does; return the exit code.

    Args:
        start: what has been read and started already.
        config_file: the configuration file's path.
        overrides: what the flags change.
        server: as for `run_flow`.

    Raises:
        UserMistake: the server of the settings cannot be used.
        ServerFailure: the server does not start, or failed before the flow ended.
    """
    with hand_over(start):
        return run_flow(lambda: score_questions(config_file, overrides, return_state=True), server)


def require_named_server(message: str) -> None:
    """Check that the user's settings name a Prefect server.

    Raises:
        UserMistake: they do not; the message is this one.
    """
    if not get_current_settings().api.url:
        raise UserMistake(message)


def run_flow(call: FlowCall, server: TemporaryServer | None) -> int:
    """Call a flow on the Prefect server of the user's settings, else on a temporary one; return the exit code.

    Args:
        call: calls the flow.
        server: a temporary server that has been started in case that it is needed; None: none was started.

    Raises:
        UserMistake: the server of the settings cannot be used.
        ServerFailure: the server does not start, or failed before the flow ended.
    """
    url = get_current_settings().api.url
    if url:
        if server:
            server.let_go()
        require_server(url, named_by="PREFECT_API_URL", otherwise=WITHOUT_SERVER)
        return call_flow(call)
    print_line("Starting Prefect's temporary server …")
    with serve_temporarily(server or start_server(print_line)):
        return call_flow(call)


@contextmanager
def serve_temporarily(server: TemporaryServer) -> Iterator[None]:
    """Wait until the server answers, and let everything in this process use it until the block is left.

    Raises:
        ServerFailure: it does not start.
    """
    threading.Thread(target=lambda: [import_module(name) for name in NEEDED_LATER], name="import", daemon=True).start()
    server.wait_until_healthy()
    os.environ["PREFECT_API_URL"] = server.api_url
    with temporary_settings({PREFECT_API_URL: server.api_url, **LEFT_OUT}), no_audience():
        yield


def call_flow(call: FlowCall) -> int:
    """Call the flow and print how it ended; return the exit code.

    Raises:
        ServerFailure: Prefect's server failed before the flow ended.
    """
    url = mask_urls(str(get_current_settings().api.url))
    with EndWatch(url) as watch:
        try:
            state = call()
        except (HTTPError, PrefectException, RuntimeError) as failure:
            if watch.outcome is None:
                raise ServerFailure(f"Prefect's server at {url} fails: {failure}; {CONTINUE}") from failure
            watch.print_unreported(str(failure))
            return print_outcome(watch.outcome)
    return print_outcome(find_error(state) or state)
