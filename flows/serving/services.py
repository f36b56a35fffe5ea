"""The processes of `mcqa serve`: Prefect's server and a worker, each with a log of its own; none outlives the command.

The server must outlive the worker, whose runs report their end to it. So the worker's process holds on to the server's
lifeline, the pipe that tells the server to end: it is closed when both the command and the worker have ended, in whatever way.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tasks.evaluation.errors import ServerFailure

STARTUP_SECONDS = 180.0
POLL_SECONDS = 0.2
# A service that ends sooner than this after its start, so many times in a row, would do so again.
SHORT_LIFE_SECONDS, MOST_SHORT_LIVES = 30.0, 3


class Service:
    """A module that runs as a process of its own.

    Args:
        name: what the user calls it.
        arguments: the module's name and its arguments.
        environment: its whole environment.
        log_path: where its output goes.
        outlived_by: a service that ends only when this one has.

    `lifeline` is the file descriptor that keeps it alive.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        log_path: Path,
        outlived_by: "Service | None" = None,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._arguments = arguments
        self._environment = environment
        self._outlived_by = outlived_by
        self._short_lives = 0
        self._end, self.lifeline = os.pipe()
        log_path.parent.mkdir(parents=True, exist_ok=True)
        log_path.write_text("")
        self._process: subprocess.Popen[bytes] | None = None

    def start_within(self, stack: ExitStack) -> None:
        """Start the process; it is ended when the stack is left.

        The stack knows of it before it is there, so whatever interrupts the start leaves nothing that holds on to a lifeline: a
        process that we do not know of yet ends too when ours is closed.
        """
        stack.callback(self.stop)
        self.start()

    def start(self) -> None:
        """Start the process again, where it has ended."""
        self._started_at = time.monotonic()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", *self._arguments],
                stdin=self._end,  # of its lifeline: it ends when nobody holds the other one any more
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=[self._outlived_by.lifeline] if self._outlived_by else [],
                start_new_session=True,  # a Ctrl-C in the terminal is for the command, which stops them in order
            )

    def check(self) -> bool:
        """Whether it runs.

        Raises:
            ServerFailure: it has ended soon after its start, and again.
        """
        code = self._process.poll() if self._process else None
        if code is None:
            return True
        is_short = time.monotonic() - self._started_at < SHORT_LIFE_SECONDS
        self._short_lives = self._short_lives + 1 if is_short else 0
        if self._short_lives == MOST_SHORT_LIVES:
            raise ServerFailure(f"{self.name} has ended with code {code}: {self.log_tail()} (its log: {self.log_path})")
        return False

    def stop(self) -> None:
        """End the process, which first ends all that it has started."""
        os.close(self.lifeline)
        if self._process:
            self._process.wait()

    def log_tail(self) -> str:
        """The end of its log, on one line."""
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


def is_healthy(api_url: str) -> bool:
    """Whether a Prefect server answers there, to the client that Prefect itself uses."""
    import httpx  # noqa: PLC0415 - takes a moment, which no other command should cost

    try:
        return httpx.get(f"{api_url}/health", timeout=5, follow_redirects=True).status_code == httpx.codes.OK
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def wait_until_healthy(server: Service, api_url: str) -> None:
    """Return when the server answers.

    Raises:
        ServerFailure: it has ended, or takes too long.
    """
    deadline = time.monotonic() + STARTUP_SECONDS
    while not is_healthy(api_url):
        if not server.check() or time.monotonic() > deadline:
            raise ServerFailure(f"{server.name} does not answer: {server.log_tail()} (its log: {server.log_path})")
        time.sleep(POLL_SECONDS)
