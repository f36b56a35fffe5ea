"""A process that we start, wait for and perhaps restart, and that ends when we do, in whatever way.

Prefect's temporary server, the services of `mcqa serve` and the model servers each add a command and a restart policy.

The promise rests on a pipe, the child's lifeline: we hold one end, and the other is the child's standard input. The kernel
closes our end when we end, even by SIGKILL, and the child ends itself when its standard input does (see `supervised`).
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from tasks.evaluation.storage.locks import try_lock

POLL_SECONDS = 0.1
STILL_WAITING_SECONDS = 10.0
HEALTH_TIMEOUT_SECONDS = 5.0
# The last lines are looked for in this much of the log: that of a model server may be large.
TAIL_BYTES = 65_536


class ChildFailure(Exception):
    """A child process has ended, or does not answer. The message begins with its name."""


class ChildProcess:
    """A module of ours that runs as a process of its own and ends when its lifeline does.

    Args:
        name: its name in messages.
        log_path: the file for its output; emptied first.
        environment: its complete environment; None: that of this process.

    Attributes:
        lifeline: The descriptor that keeps it alive, for another child that must not outlive it.
    """

    def __init__(self, name: str, *, log_path: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log_path = log_path
        self._environment = environment
        self._lock = threading.Lock()
        self._is_stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        log_path.parent.mkdir(parents=True, exist_ok=True)
        log_path.write_bytes(b"")
        self._end, self.lifeline = os.pipe()

    @property
    def exit_code(self) -> int | None:
        """Return its exit code; None while it is running, or if it was not started."""
        return self._process.poll() if self._process else None

    def start(self, arguments: Sequence[str], *, pass_fds: Sequence[int] = ()) -> bool:
        """Run `python -m` with the arguments; return False if the process was stopped and must not be started again.

        An interrupt in here leaves nothing behind: a child that we do not know about yet also ends when its lifeline is closed.
        """
        with self._lock, self.log_path.open("ab") as log:
            if self._is_stopped:
                return False
            # The child inherits the lock, which protects its log: old logs are removed when nobody holds their locks.
            try_lock(log, shared=True)
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                # -P: a file in the working directory must not hide a module.
                [sys.executable, "-P", "-m", *arguments],
                stdin=self._end,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=pass_fds,
                start_new_session=True,  # a Ctrl-C in the terminal is meant for us; we still need the child then
            )
            return True

    def wait(self) -> int:
        """Wait until the process has ended; return its exit code."""
        assert self._process, "it was started"
        return self._process.wait()

    def wait_until_healthy(
        self,
        is_healthy: Callable[[], bool],
        *,
        timeout_seconds: float,
        poll_seconds: float = POLL_SECONDS,
        notify: Callable[[str], None] | None = None,
        start_otherwise: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until the process answers.

        Args:
            is_healthy: returns True if it answers.
            timeout_seconds: how long it may take to answer.
            poll_seconds: how long to wait between two looks.
            notify: takes a line now and then if it takes long.
            start_otherwise: called if it has ended; returns True if it restarted it in another way.

        Raises:
            ChildFailure: it has ended, or took too long.
        """
        started = notified = time.monotonic()
        while not is_healthy():
            if self.exit_code is not None and not start_otherwise():
                raise ChildFailure(f"{self.name} has ended with code {self.exit_code}")
            now = time.monotonic()
            if now - started > timeout_seconds:
                raise ChildFailure(f"{self.name} was not ready within {timeout_seconds:g} s")
            if notify and now - notified > STILL_WAITING_SECONDS:
                notified = now
                notify(f"Still waiting for {self.name} ({now - started:.0f} s) …")
            time.sleep(poll_seconds)

    def stop(self) -> None:
        """End the process, with all that it has started, and wait until it is gone; it is never restarted."""
        self.let_go()
        if self._process:
            self._process.wait()

    def let_go(self) -> None:
        """Let the process end, without waiting for it; it is never restarted."""
        with self._lock:
            if not self._is_stopped:
                self._is_stopped = True
                os.close(self.lifeline)

    def log_tail(self, line_count: int = 3, separator: str = " | ") -> str:
        """Return the last lines of the process's log."""
        with suppress(OSError), self.log_path.open("rb") as log:
            log.seek(max(log.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
            lines = log.read().decode(errors="replace").strip().splitlines()
            return separator.join(lines[-line_count:]) or "(it printed nothing)"
        return "(its log is gone)"


def is_answering(url: str) -> bool:
    """Return True if a server on this machine answers there with 200. No proxy is used: none leads back to this machine."""
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=HEALTH_TIMEOUT_SECONDS) as response:
            return bool(response.status == 200)
    except (OSError, HTTPException):
        return False


def find_free_port(host: str) -> int:
    """Return a port of the host that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Return True if nobody listens on the port and we may."""
    with closing(socket.socket()) as probe, suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return True
    return False
