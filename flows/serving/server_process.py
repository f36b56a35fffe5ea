"""The temporary Prefect server's own process: `python -m flows.serving.server_process SOCKET FOLDER TEMPLATES`.

It serves on the socket that it was given, and ends when its standard input does: when the process that started it has ended, in
whatever way. It then removes its folder, including the database, for which TEMPLATES holds what an earlier server has kept.
"""

import gc
import os
import shutil
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from flows.serving.server_database import keep_template, prepare_database
from flows.serving.sqlite_connections import close_failed_statements
from tasks.evaluation.processes.supervised import watch_parent

# How long the server may take to close what is open, once nobody uses it any more.
SHUTDOWN_SECONDS = 2.0
FIRST_ROUTES = ("/admin", "/flows", "/flow_runs", "/events")


def main() -> None:
    """Serve until standard input ends."""
    listener, folder, templates = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
    is_serving = threading.Event()
    watch_parent(lambda: _end(folder, is_serving))
    # Nothing that is imported becomes garbage. Looking for it takes a sixth of the start.
    gc.disable()
    database = folder / "prefect.db"
    has_schema = prepare_database(database, templates)
    if has_schema:
        os.environ["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] = "0"
        os.environ["PREFECT_SERVER_REGISTER_BLOCKS_ON_START"] = "0"
    # The parent must be watched and the environment complete while these are imported.
    import uvicorn  # noqa: PLC0415
    from prefect.server.api import server as prefect_server  # noqa: PLC0415

    close_failed_statements()
    # A route is prepared when a request has been compared with it: those that runs ask for come first.
    routers: tuple[Any, ...] = tuple(sorted(prefect_server.API_ROUTERS, key=lambda router: router.prefix not in FIRST_ROUTES))
    prefect_server.API_ROUTERS = routers

    class Server(uvicorn.Server):
        """Keeps the migrated database for later servers, once it is complete."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if not has_schema:
                keep_template(database, templates)

    gc.freeze()
    gc.enable()
    is_serving.set()
    config = uvicorn.Config(prefect_server.create_app, factory=True, log_level="error", lifespan="on")
    Server(config).run(sockets=[listener])


def _end(folder: Path, is_serving: threading.Event) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if is_serving.is_set():
        time.sleep(SHUTDOWN_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)  # what the server has written meanwhile
    os._exit(0)


if __name__ == "__main__":
    main()
