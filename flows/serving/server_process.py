"""The temporary Prefect server's own process: `python -m flows.serving.server_process SOCKET FOLDER`.

It serves on the socket that it was given, and ends when its standard input does: when the process that started it has ended, in
whatever way. It then removes its folder, including the database.
"""

import os
import shutil
import socket
import sys
import time
from pathlib import Path

from tasks.evaluation.processes.supervised import watch_parent

# How long the server may take to close what is open, once nobody uses it any more.
SHUTDOWN_SECONDS = 2.0


def main() -> None:
    """Serve until standard input ends."""
    listener, folder = socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])
    watch_parent(lambda: _end(folder))
    import uvicorn  # noqa: PLC0415 - the parent must be watched while this is imported

    config = uvicorn.Config("prefect.server.api.server:create_app", factory=True, log_level="error", lifespan="on")
    uvicorn.Server(config).run(sockets=[listener])


def _end(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    time.sleep(SHUTDOWN_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)  # what the server has written meanwhile
    os._exit(0)


if __name__ == "__main__":
    main()
