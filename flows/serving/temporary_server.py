"""A Prefect server for one run, used if no other is set up: started before everything else, gone when the process ends.

It has a database of its own, so any number of runs can start at once in one home. Nobody can look at it once the run has ended,
and it does only what the run itself needs.
"""

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from tasks.evaluation.errors import ServerFailure, UserMistake
from tasks.evaluation.processes.child_process import ChildFailure, ChildProcess, is_answering

STARTUP_SECONDS = 180.0
POLL_SECONDS = 0.02
MAX_RESTARTS = 3
API_URL = "PREFECT_API_URL"
# Prefixes of the variables that a program needs to run at all. The keys of endpoints are not among them.
INHERITED = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_", "LD_", "DYLD_", "PYTHON", "VIRTUAL_ENV", "CONDA_")
# What a server does beside answering: it has no automations, it sends events and logs to nobody, and nobody sees its records of
# task runs and events. To act on automations, it would even make a second application.
LEFT_OUT = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
    "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "0",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "0",
    "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "0",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "0",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "0",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "0",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "0",
}


def find_home(environment: Mapping[str, str]) -> Path:
    """Return Prefect's folder, without asking Prefect, which would have to be imported.

    Raises:
        UserMistake: it is in the home of a user who has none.
    """
    folder = Path(environment.get("PREFECT_HOME") or "~/.prefect")
    try:
        return folder.expanduser()
    except RuntimeError:
        raise UserMistake(f"Prefect's folder {folder} is in a home that does not exist: set HOME, or PREFECT_HOME") from None


def is_probably_needed(environment: Mapping[str, str]) -> bool:
    """Return False if the environment or a profile of Prefect seems to name a server."""
    with suppress(OSError):
        if API_URL in (find_home(environment) / "profiles.toml").read_text(encoding="utf-8", errors="replace"):
            return False
    return not environment.get(API_URL)


def start_server(notify: Callable[[str], None]) -> "TemporaryServer":
    """Start a server for this run alone."""
    return TemporaryServer(find_home(os.environ), notify)


class TemporaryServer:
    """A Prefect server on a free port of this machine's loopback interface.

    Args:
        home: Prefect's folder, where a migrated database is kept for the next start.
        notify: takes what the user should know.
    """

    def __init__(self, home: Path, notify: Callable[[str], None]) -> None:
        self._templates = home / "mcqa-flow"
        self._notify = notify
        self._folder = Path(tempfile.mkdtemp(prefix="mcqa-prefect-"))
        self._is_first_try = True
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
                poll_seconds=POLL_SECONDS,
                notify=self._notify,
                start_otherwise=self._start_without_template,
            )
        except ChildFailure as failure:
            raise ServerFailure(f"{failure}: {self._process.log_tail()}") from failure
        threading.Thread(target=self._watch, name="watch-prefect", daemon=True).start()

    def let_go(self) -> None:
        """Let the server end, because another one is used."""
        self._process.let_go()

    def _watch(self) -> None:
        """Restart the server when it ends, with the same port and database, because the run's end is reported to it."""
        for _ in range(MAX_RESTARTS):
            self._process.wait()
            self._notify("⚠️ Prefect's temporary server has ended; it is started again, and the scoring goes on meanwhile")
            self._start()

    def _start_without_template(self) -> bool:
        """Restart the server on an empty database, since the copied one may be the cause; return False the second time."""
        if not self._is_first_try:
            return False
        self._is_first_try = False
        for path in (*self._templates.glob("server-*.db"), *self._folder.glob("prefect.db*")):
            with suppress(OSError):
                path.unlink()
        self._start()
        return True

    def _start(self) -> None:
        """Start the server on the port that it had before; the first time, choose a free one."""
        with closing(socket.socket()) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self._port))
            self._port = listener.getsockname()[1]
            module, descriptor = "flows.serving.server_process", listener.fileno()
            self._process.start([module, str(descriptor), str(self._folder), str(self._templates)], pass_fds=[descriptor])

    def _make_environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if name.startswith(INHERITED)},
            **LEFT_OUT,
            "PREFECT_HOME": str(self._folder),
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{self._folder / 'prefect.db'}",
            "PREFECT__SERVER_EPHEMERAL": "1",
            "PREFECT__SERVER_FINAL": "1",
        }
