"""A model server on this machine, for one run: started, waited for, watched, and gone when the run is.

Each kind of server is a `ServerCommand`; all else is the same for all. The server's output goes to a log file.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tasks.evaluation.config.config import Config
from tasks.evaluation.errors import UserMistake
from tasks.evaluation.local_servers.server_commands import ServerCommand, find_command
from tasks.evaluation.storage.locks import try_lock

POLL_SECONDS = 0.1
STILL_WAITING_SECONDS = 10.0
SHOWN_LOG_LINES = 8


class LocalServer:
    """A model server that this process has started.

    Args:
        command: how it is started.
        log_folder: takes its output.
        notify: takes what the user should know.
    """

    def __init__(self, command: ServerCommand, log_folder: Path, notify: Callable[[str], None]) -> None:
        self._command = command
        self._notify = notify
        self._lock = threading.Lock()
        self._is_closing = False
        self._has_moved = False
        self._port = command.port or _find_free_port(command.host)
        if command.port and not _is_free(command.host, command.port):
            raise UserMistake(f"port {command.port} of {command.host} is taken: set another, or auto_port: true")
        log_folder.mkdir(parents=True, exist_ok=True)
        self.log_path = log_folder / f"{command.name}_{datetime.now():%Y%m%d_%H%M%S_%f}.log"
        notify(f"Starting {command.name} (its log: {self.log_path}) …")
        self._process = self._start()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{self._command.host}:{self._port}/v1"

    def wait_until_healthy(self) -> None:
        """Return when the server answers; from then on it is watched, and started again once if it ends.

        Raises:
            UserMistake: it has ended, or takes too long; the message holds its last lines and what to try.
        """
        started, told = time.monotonic(), time.monotonic()
        while not self._is_healthy():
            if self._process.poll() is not None and not self._move_to_another_port():
                raise UserMistake(self._describe_failure(f"has ended with code {self._process.returncode}"))
            if time.monotonic() - started > self._command.startup_seconds:
                raise UserMistake(self._describe_failure(f"was not ready within {self._command.startup_seconds:g} s"))
            if time.monotonic() - told > STILL_WAITING_SECONDS:
                told = time.monotonic()
                self._notify(f"Still waiting for {self._command.name} ({told - started:.0f} s) …")
            time.sleep(POLL_SECONDS)
        threading.Thread(target=self._watch, name="watch-server", daemon=True).start()

    def close(self) -> None:
        """Stop the server, and wait until it is gone."""
        with self._lock:
            self._is_closing = True
            _end(self._process)

    def _start(self) -> "subprocess.Popen[bytes]":
        with self.log_path.open("ab") as log:
            # The server inherits the lock, and with it the right to its log: old ones are removed when nobody holds theirs.
            try_lock(log, shared=True)
            return subprocess.Popen(  # noqa: S603 - the user's own server
                [sys.executable, "-m", "tasks.evaluation.local_servers.supervised", *self._command.arguments(self._port)],
                stdin=subprocess.PIPE,  # kept open by this process alone: its end tells the supervisor of ours
                stdout=log,
                stderr=log,
                env={**os.environ, **self._command.secrets},
                start_new_session=True,  # a Ctrl-C in the terminal is for the run, which still needs its server
            )

    def _watch(self) -> None:
        """Start the server once more if it ends before the run does; what is asked meanwhile waits as in any outage."""
        self._process.wait()
        code = self._process.returncode
        if self._start_again():
            self._notify(f"{self._command.name} has ended with code {code}: it is started again")
            self._process.wait()
            if not self._is_closing:
                self._notify(self._describe_failure("has ended again"))

    def _start_again(self) -> bool:
        """Put a new process in the place of one that has ended, unless the server is being closed; say whether."""
        with self._lock:
            if not self._is_closing:
                _end(self._process)
                self._process = self._start()
            return not self._is_closing

    def _move_to_another_port(self) -> bool:
        """Start anew on another port, once, where the first was taken between our look and its start; say whether."""
        if self._command.port or "address already in use" not in self._last_lines().lower() or self._has_moved:
            return False
        self._has_moved = True
        self._port = _find_free_port(self._command.host)
        return self._start_again()

    def _is_healthy(self) -> bool:
        try:
            with urlopen(f"http://{self._command.host}:{self._port}/health", timeout=5) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    def _describe_failure(self, what: str) -> str:
        return f"{self._command.name} {what}. {self._command.advice}\nThe end of {self.log_path}:\n{self._last_lines()}"

    def _last_lines(self) -> str:
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return "\n".join(lines[-SHOWN_LOG_LINES:]) or "(it said nothing)"


_started_ahead: list[LocalServer] = []


def start_ahead(config: Config, log_folder: Path, notify: Callable[[str], None]) -> None:
    """Start the server that the settings want, for `start_server` to take: it loads while other things are prepared."""
    command = find_command(config)
    if command:
        _started_ahead.append(LocalServer(command, log_folder, notify))


def start_server(config: Config, log_folder: Path, notify: Callable[[str], None]) -> LocalServer | None:
    """The server that the settings want, perhaps started ahead; None when they name one that runs already."""
    if _started_ahead:
        return _started_ahead.pop()
    command = find_command(config)
    return LocalServer(command, log_folder, notify) if command else None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Close the pipe, which ends the process, and wait until it is gone."""
    assert process.stdin
    process.stdin.close()
    process.wait()


def _find_free_port(host: str) -> int:
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _is_free(host: str, port: int) -> bool:
    with closing(socket.socket()) as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return True
    return False
