"""A model server on this machine for one run: started, waited for, watched, and gone when the run ends.

Each kind of server is a `ServerCommand`; everything else is the same for all kinds. The server's output goes to a log file.
"""

import os
import re
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.server_commands import ServerCommand
from tasks.evaluation.processes.child_process import ChildFailure, ChildProcess, find_free_port, is_answering, is_free

SHOWN_LOG_LINES = 8


class Ports:
    """Free ports of this machine, each given once: a server that is still loading does not listen on its own yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: set[int] = set()

    def take(self, host: str) -> int:
        """Return a port of the host that nobody listens on now, and that was not given before."""
        with self._lock:
            while (port := find_free_port(host)) in self._given:
                pass
            self._given.add(port)
            return port


class LocalServer:
    """A model server that this process has started.

    Args:
        command: how it is started.
        ports: gives it a port, if the command names none.
        log_folder: the folder for the log of its output.
        notify: takes what the user should know.

    Raises:
        UserMistake: the port that the settings name is taken.
    """

    def __init__(self, command: ServerCommand, ports: Ports, log_folder: Path, notify: Callable[[str], None]) -> None:
        self.name = command.name
        self._command = command
        self._ports = ports
        self._notify = notify
        self._has_moved = False
        self._is_closing = False
        self._port = command.port or ports.take(command.host)
        if command.port and not is_free(command.host, command.port):
            raise UserMistake(f"port {command.port} of {command.host} is taken: set another, or auto_port: true")
        log_name = re.sub(r"[^\w.,-]", "_", command.name)
        self.log_path = log_folder / f"{log_name}_{datetime.now():%Y%m%d_%H%M%S_%f}.log"
        self._process = ChildProcess(command.name, log_path=self.log_path, environment={**os.environ, **command.variables})
        notify(f"Starting {command.name} (its log: {self.log_path}) …")
        self._start()

    @property
    def url(self) -> str:
        """Return the address of its API."""
        return f"http://{self._command.host}:{self._port}/v1"

    def wait_until_healthy(self) -> None:
        """Wait until the server answers; from then on, watch it and restart it once if it ends.

        Raises:
            UserMistake: it has ended, or took too long; the message holds the end of its log and what to try.
        """
        try:
            self._process.wait_until_healthy(
                lambda: is_answering(f"http://{self._command.host}:{self._port}/health"),
                timeout_seconds=self._command.startup_seconds,
                start_otherwise=self._move_to_another_port,
            )
        except ChildFailure as failure:
            raise UserMistake(self._describe(str(failure))) from failure
        threading.Thread(target=self._watch, name="watch-server", daemon=True).start()

    def let_go(self) -> None:
        """Let the server end, without waiting for it; it is never restarted."""
        self._is_closing = True
        self._process.let_go()

    def close(self) -> None:
        """Stop the server, and wait until it is gone."""
        self.let_go()
        self._process.stop()

    def _start(self) -> bool:
        """Start the server unless it is being closed; return True if it was started."""
        supervisor = "tasks.evaluation.processes.supervised"
        return self._process.start([supervisor, *self._command.arguments(self._port)])

    def _watch(self) -> None:
        """Restart the server once if it ends before the run does; meanwhile questions wait, as in any outage."""
        code = self._process.wait()
        if self._start():
            self._notify(f"⚠️ {self._command.name} has ended with code {code}; it is started again")
            self._process.wait()
            if not self._is_closing:
                self._notify(f"⚠️ {self._describe(f'{self._command.name} has ended again')}")

    def _move_to_another_port(self) -> bool:
        """Restart the server once on another port if its own was taken after we looked; return True if it was started."""
        log_tail = self._process.log_tail(SHOWN_LOG_LINES).lower()
        if self._command.port or self._has_moved or "address already in use" not in log_tail:
            return False
        self._has_moved = True
        self._port = self._ports.take(self._command.host)
        return self._start()

    def _describe(self, failure: str) -> str:
        log_tail = self._process.log_tail(SHOWN_LOG_LINES, separator="\n")
        return f"{failure}. {self._command.advice}\nThe end of {self.log_path}:\n{log_tail}"
