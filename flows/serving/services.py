"""The processes of `mcqa serve`: Prefect's server and a worker, each with a log of its own; neither outlives the command.

The server must outlive the worker, whose runs report their end to it. The worker's process therefore also holds the server's
lifeline, the pipe that keeps the server alive: it closes only when both the command and the worker have ended, in whatever way.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from flows.serving.server_health import is_healthy
from tasks.evaluation.errors import ServerFailure
from tasks.evaluation.processes.child_process import ChildFailure, ChildProcess

STARTUP_SECONDS = 180.0
# A service that ends this soon after its start, this many times in a row, would only do so again.
SHORT_LIFE_SECONDS, MAX_SHORT_LIVES = 30.0, 3


class Service:
    """A process that is restarted whenever it ends, unless it ends soon after each start.

    Args:
        name: its name in messages.
        arguments: the module's name and its arguments.
        environment: its complete environment.
        log_path: the file for its output.
        outlived_by: another service, which ends only after this one.
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
        self._process = ChildProcess(name, log_path=log_path, environment=environment)
        self._passed_lifelines = [outlived_by._process.lifeline] if outlived_by else []  # noqa: SLF001 - of the same class
        self._short_lives = 0

    def start_within(self, stack: ExitStack) -> None:
        """Start the process; the stack stops it when it is left, however early an interrupt comes."""
        stack.callback(self._process.stop)
        self.start()

    def start(self) -> None:
        """Start the process, or restart it after it has ended."""
        self._started_at = time.monotonic()
        self._process.start(self._arguments, pass_fds=self._passed_lifelines)

    def check(self) -> bool:
        """Return True if the process is running.

        Raises:
            ServerFailure: it has ended soon after each of its last starts.
        """
        code = self._process.exit_code
        if code is None:
            return True
        is_short = time.monotonic() - self._started_at < SHORT_LIFE_SECONDS
        self._short_lives = self._short_lives + 1 if is_short else 0
        if self._short_lives == MAX_SHORT_LIVES:
            raise self._failure(f"{self.name} has ended with code {code}")
        return False

    def wait_until_healthy(self, api_url: str) -> None:
        """Wait until the process answers as a Prefect server.

        Raises:
            ServerFailure: it has ended, or took too long.
        """
        try:
            self._process.wait_until_healthy(lambda: is_healthy(api_url), timeout_seconds=STARTUP_SECONDS)
        except ChildFailure as failure:
            raise self._failure(str(failure)) from failure

    def _failure(self, what: str) -> ServerFailure:
        return ServerFailure(f"{what}: {self._process.log_tail()} (its log: {self.log_path})")
