"""`mcqa serve`: a Prefect server with its UI, the deployments and a worker on this machine, until Ctrl-C."""

import argparse
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from flows.process.end_signals import install_handlers
from flows.process.terminal import EXIT_DONE, print_line
from flows.serving.file_server import FileServer
from flows.serving.server_health import require_server
from flows.serving.services import Service
from tasks.evaluation.config.secrets import mask_urls
from tasks.evaluation.errors import UserMistake
from tasks.served_files import FOLDER_VARIABLE, URL_VARIABLE

if TYPE_CHECKING:
    from flows.serving.deployments_file import OwnDeployment  # imports Prefect, which takes seconds

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 4200
WATCH_SECONDS = 0.2
WITHOUT_SERVER = "start it, or give neither: this command then starts one"
# By default, Prefect keeps in memory which runs hold the places of a deployment's concurrency limit: after a restart of the
# server, the places of runs that were killed with it would never be freed.
LEASES_IN_FILES = "prefect.server.concurrency.lease_storage.filesystem"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `serve`."""
    parser.add_argument("--host", default=DEFAULT_HOST, help=f"where the UI is served ({DEFAULT_HOST}); 0.0.0.0: to all")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help=f"the UI's port ({DEFAULT_PORT})")
    parser.add_argument("--server", metavar="URL", help="a Prefect server that runs already, http://HOST:PORT/api; start none")
    parser.set_defaults(run=serve)


def serve(options: argparse.Namespace) -> int:
    """Serve until a signal arrives; return the exit code.

    Raises:
        UserMistake: the port is taken, no server answers where one should, or deployments.yaml has a mistake.
        ServerFailure: the server or the worker does not start.
    """
    install_handlers(_interrupt)
    # Prefect sends usage data to a public host, which an evaluation must not contact unless its user allows it.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "0")
    from prefect.settings import get_current_settings  # noqa: PLC0415 - takes seconds

    from flows.serving.deployments_file import read_own_deployments  # noqa: PLC0415 - imports Prefect
    from flows.serving.installation import list_reserved_names  # noqa: PLC0415 - the same

    settings = get_current_settings()
    own = read_own_deployments(Path.cwd(), list_reserved_names())
    given_url, logs = options.server or settings.api.url, settings.home / "mcqa-flow"
    with ExitStack() as stack:
        try:
            server = None if given_url else make_server(options.host, options.port, logs)
            if server:
                print_line(f"Starting Prefect's server (its log: {server.log_path}) …")
                server.start_within(stack)
            api_url = given_url or f"http://{_name_reachable(options.host)}:{options.port}/api"
            wait_for_server(server, api_url)
            install(api_url, own)
            files = stack.enter_context(FileServer(options.host, options.port + 1, logs / "files"))
            print_line(f"Reports and results: {files.url}")
            if files.port != options.port + 1:
                print_line(f"⚠️ Port {options.port + 1} is taken: links that earlier runs have shown may lead nowhere")
            worker = make_worker(api_url, logs, server, {URL_VARIABLE: files.url, FOLDER_VARIABLE: str(logs / "files")})
            worker.start_within(stack)
            print_line(f"A worker runs evaluations in {Path.cwd()} (its log: {worker.log_path})")
            print_line("Press Ctrl-C to stop it all")
            watch([service for service in (server, worker) if service])
        except KeyboardInterrupt:
            print_line("Stopping: runs that go on are saved; Retry continues them")
    return EXIT_DONE


def make_server(host: str, port: int, logs: Path) -> Service:
    """Return Prefect's server, not started yet.

    Raises:
        UserMistake: the port is not free.
    """
    _require_free_port(host, port)
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    environment.setdefault("PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE", LEASES_IN_FILES)
    environment.setdefault("PREFECT_SERVER_UI_API_URL", "/api")  # for the browser, under whatever name it knows this machine
    command = [sys.executable, "-P", "-m", "flows.serving.lasting_server", "--host", host, "--port", str(port)]
    arguments = ["tasks.evaluation.processes.supervised", *command]
    return Service("Prefect's server", arguments, environment=environment, log_path=logs / f"server-{port}.log")


def wait_for_server(server: Service | None, api_url: str) -> None:
    """Wait until the server answers.

    Raises:
        UserMistake: no server can be used at the user's address, or ours wants a password that the user did not give.
        ServerFailure: our own server does not start.
    """
    if server:
        server.wait_until_healthy(api_url)
        require_server(api_url, named_by="started by this command", otherwise=f"its log: {server.log_path}")
    else:
        require_server(api_url, named_by="--server or PREFECT_API_URL", otherwise=WITHOUT_SERVER)
    print_line(f"Prefect's UI: {mask_urls(api_url).removesuffix('/api')}")


def install(api_url: str, own: "Sequence[OwnDeployment]") -> None:
    """Create the work pool, the automations and the deployments, the user's own too, on the server; print the deployments.

    Raises:
        UserMistake: the name of one of the user's own deployments is taken.
        ServerFailure: the server refuses them.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - takes seconds
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

    from flows.serving.automations import ensure_automations  # noqa: PLC0415 - imports Prefect
    from flows.serving.drop_notification import ensure_drop_automation  # noqa: PLC0415 - the same
    from flows.serving.form import offer_served  # noqa: PLC0415 - the same
    from flows.serving.installation import deploy, ensure_work_pool  # noqa: PLC0415 - the same
    from flows.serving.own_deployments import remove_dropped  # noqa: PLC0415 - the same
    from flows.serving.served_files import find_served_files  # noqa: PLC0415 - imports much

    with temporary_settings({PREFECT_API_URL: api_url}), get_client(sync_client=True) as client:
        ensure_work_pool(client)
        ensure_automations(client)
        ensure_drop_automation(client)
        deployments = deploy(client, {**os.environ, "PREFECT_API_URL": api_url}, own)
        for name in remove_dropped(client, [deployment.name for deployment in own]):
            print_line(f"Removed the deployment {name}, which deployments.yaml no longer names")
        offered = offer_served(client, deployments, find_served_files(Path.cwd()))
    for deployment in deployments:
        switch = {True: ", its schedule on", False: ", its schedule off"}
        states = {switch[schedule.active] for schedule in deployment.schedules}
        print_line(f"Deployment: {deployment.name}{''.join(sorted(states))}")
    print_line(offered)


def make_worker(api_url: str, logs: Path, server: Service | None, variables: Mapping[str, str]) -> Service:
    """Return a worker, not started yet, that runs evaluations in the working directory.

    It reports to the server until all its runs have ended, so our own server outlives it.
    """
    from flows.serving.installation import WORK_POOL  # noqa: PLC0415 - imports Prefect

    arguments = ["flows.serving.worker_process", "--pool", WORK_POOL, "--type", "process"]
    environment = {**os.environ, **variables, "PREFECT_API_URL": api_url}
    log_path = logs / f"worker-{os.getpid()}.log"
    return Service("The worker", arguments, environment=environment, log_path=log_path, outlived_by=server)


def watch(services: Sequence[Service]) -> None:
    """Restart each service that ends; never return.

    Raises:
        ServerFailure: a service has ended soon after each of its last starts.
    """
    while True:
        for service in services:
            if not service.check():
                print_line(f"{service.name} has ended (its log: {service.log_path}): it is started again")
                service.start()
        time.sleep(WATCH_SECONDS)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    """Stop everything in order; a second signal ends this process, and closes the lifelines of all the others with it."""
    install_handlers(lambda number, _: os._exit(128 + number))
    raise KeyboardInterrupt


def _name_reachable(host: str) -> str:
    """Return the host, as written in a URL, at which this machine itself reaches the server."""
    # A server on "::" accepts no IPv4, so the loopback is that of IPv6.
    host = {"0.0.0.0": DEFAULT_HOST, "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{host}]" if ":" in host else host


def _require_free_port(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserMistake(
            f"nothing can be served on {host}:{port} ({reason}): give another --port or --host. Each mcqa serve takes two "
            "ports, the second for reports. Where Prefect runs there already, give "
            f"--server http://{_name_reachable(host)}:{port}/api"
        ) from None
