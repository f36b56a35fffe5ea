"""A Prefect server for one run, where none is set up: started beside the run's own preparation, gone when the process is.

Its database is its own, so any number of runs start at once in one home. Migrating an empty database takes as long as all the
rest of the start, so the first server of each Prefect version leaves a copy of the migrated one for those after it.
"""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tasks.evaluation.errors import ServerFailure
from tasks.evaluation.storage.durable_files import replace_file, write_bytes, write_durably

STARTUP_SECONDS = 180.0
POLL_SECONDS = 0.1
STILL_WAITING_SECONDS = 10.0
MOST_RESTARTS = 3
# The variables that a program needs to run at all, by their beginnings. The keys of endpoints are none of them.
INHERITED = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "VIRTUAL_ENV", "CONDA_")


class TemporaryServer:
    """A Prefect server on a free port of this machine's loopback.

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
        self._process = self._start()

    @property
    def api_url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._port}/api"

    def wait_until_healthy(self) -> None:
        """Return when the server answers; from then on it is watched, and started again when it ends before us.

        Raises:
            ServerFailure: it has ended, or takes too long.
        """
        started, told = time.monotonic(), time.monotonic()
        while not self._is_healthy():
            if self._process.poll() is not None and not self._start_without_template():
                raise ServerFailure(f"Prefect's temporary server did not start: {self._log_tail()}")
            if time.monotonic() - started > STARTUP_SECONDS:
                raise ServerFailure(f"Prefect's temporary server did not start in time: {self._log_tail()}")
            if time.monotonic() - told > STILL_WAITING_SECONDS:
                told = time.monotonic()
                self._notify(f"Still waiting for Prefect's temporary server ({told - started:.0f} s) …")
            time.sleep(POLL_SECONDS)
        if not self._has_template:
            self._keep_template()
        threading.Thread(target=self._watch, name="watch-prefect", daemon=True).start()

    def _watch(self) -> None:
        """Start the server again, on its port and with its database, when it ends: the run's end is reported to it."""
        for _ in range(MOST_RESTARTS):
            self._process.wait()
            self._notify("Prefect's temporary server has ended: it is started again; the scoring goes on meanwhile")
            self._process = self._start()

    def _start_without_template(self) -> bool:
        """Start anew on an empty database, once, where the copied one may be what is wrong; say whether."""
        if not self._has_template:
            return False
        self._has_template = False
        with suppress(OSError):
            self._template.unlink()
        for path in self._folder.glob("prefect.db*"):
            path.unlink()
        self._process = self._start()
        return True

    def _start(self) -> "subprocess.Popen[bytes]":
        """A new process, on the port that an earlier one had, else on a free one."""
        environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(INHERITED)},
            "PREFECT_HOME": str(self._folder),
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{self._database}",
            "PREFECT_UI_ENABLED": "0",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
        }
        with closing(socket.socket()) as listener, (self._folder / "server.log").open("ab") as log:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            self._port = listener.getsockname()[1]
            return subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "flows.serving.server_process", str(listener.fileno()), str(self._folder)],
                stdin=subprocess.PIPE,  # kept open by this process alone: its end tells the server of ours
                stdout=log,
                stderr=log,
                env=environment,
                pass_fds=[listener.fileno()],
                start_new_session=True,  # a Ctrl-C in the terminal is for the run, which still needs its server
            )

    def _is_healthy(self) -> bool:
        try:
            with urlopen(f"{self.api_url}/health", timeout=5) as response:  # noqa: S310 - our own address
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    def _keep_template(self) -> None:
        """Copy the migrated database in one step; where that cannot be, the next start takes longer."""
        temporary = self._template.with_name(f".{self._template.name}.{os.getpid()}")
        with suppress(OSError, sqlite3.Error):
            self._template.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._database)) as database:
                content = database.serialize()
            write_durably(temporary, lambda descriptor: write_bytes(descriptor, content), replace_file(self._template))

    def _log_tail(self) -> str:
        with suppress(OSError):
            lines = (self._folder / "server.log").read_text(errors="replace").strip().splitlines()
            return " | ".join(lines[-3:]) or "it said nothing"
        return "it said nothing"
