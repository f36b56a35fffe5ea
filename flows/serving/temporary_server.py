"""A Prefect server for one run, used if no other is set up: started while the run is prepared, gone when the process ends.

It has a database of its own, so any number of runs can start at once in one home. Migrating an empty database takes as long as
the rest of the start, so the first server of each Prefect version leaves a copy of the migrated database for later ones.
"""

import os
import shutil
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tasks.evaluation.errors import ServerFailure
from tasks.evaluation.processes.child_process import ChildFailure, ChildProcess, is_answering
from tasks.evaluation.storage.durable_files import replace_file, write_bytes, write_durably

STARTUP_SECONDS = 180.0
MAX_RESTARTS = 3
# Prefixes of the variables that a program needs to run at all. The keys of endpoints are not among them.
INHERITED = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "VIRTUAL_ENV", "CONDA_")


class TemporaryServer:
    """A Prefect server on a free port of this machine's loopback interface.

    Args:
        template: where the migrated database is kept for the next start.
        notify: takes what the user should know.
    """

    def __init__(self, template: Path, notify: Callable[[str], None]) -> None:
        self._template = template
        self._notify = notify
        self._folder = Path(tempfile.mkdtemp(prefix="mcqa-prefect-"))
        self._database = self._folder / "prefect.db"
        with suppress(OSError):
            shutil.copyfile(template, self._database)
        self._has_template = self._database.exists()
        self._port = 0
        self._process = ChildProcess(
            "Prefect's temporary server", log_path=self._folder / "server.log", environment=self._make_environment()
        )
        self._start()

    @property
    def api_url(self) -> str:
        """Return the address of its API."""
        return f"http://127.0.0.1:{self._port}/api"

    def wait_until_healthy(self) -> None:
        """Wait until the server answers; from then on, watch it and restart it if it ends before us.

        Raises:
            ServerFailure: it has ended, or took too long.
        """
        try:
            self._process.wait_until_healthy(
                lambda: is_answering(f"{self.api_url}/health"),
                timeout_seconds=STARTUP_SECONDS,
                notify=self._notify,
                start_otherwise=self._start_without_template,
            )
        except ChildFailure as failure:
            raise ServerFailure(f"{failure}: {self._process.log_tail()}") from failure
        if not self._has_template:
            self._keep_template()
        threading.Thread(target=self._watch, name="watch-prefect", daemon=True).start()

    def _watch(self) -> None:
        """Restart the server when it ends, with the same port and database, because the run's end is reported to it."""
        for _ in range(MAX_RESTARTS):
            self._process.wait()
            self._notify("⚠️ Prefect's temporary server has ended; it is started again, and the scoring goes on meanwhile")
            self._start()

    def _start_without_template(self) -> bool:
        """Restart the server on an empty database, since the copied one may be the cause; return False if it was not copied."""
        if not self._has_template:
            return False
        self._has_template = False
        with suppress(OSError):
            self._template.unlink()
        for path in self._folder.glob("prefect.db*"):
            path.unlink()
        self._start()
        return True

    def _start(self) -> None:
        """Start the server on the port that it had before; the first time, choose a free one."""
        with closing(socket.socket()) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            self._port = listener.getsockname()[1]
            arguments = ["flows.serving.server_process", str(listener.fileno()), str(self._folder)]
            self._process.start(arguments, pass_fds=[listener.fileno()])

    def _make_environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name.startswith(INHERITED)},
            "PREFECT_HOME": str(self._folder),
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{self._database}",
            "PREFECT_UI_ENABLED": "0",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
        }

    def _keep_template(self) -> None:
        """Copy the migrated database atomically; if that fails, the next start just takes longer."""
        temporary = self._template.with_name(f".{self._template.name}.{os.getpid()}")
        with suppress(OSError, sqlite3.Error):
            self._template.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._database)) as database:
                content = database.serialize()
            write_durably(temporary, lambda descriptor: write_bytes(descriptor, content), replace_file(self._template))
