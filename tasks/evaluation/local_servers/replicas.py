"""The servers of one model that a run starts on this machine: one, or one for each GPU or group of GPUs.

They are started at the same time and end together. While they are asked, each is watched and restarted for itself.
"""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from tasks.evaluation.config.config import Config
from tasks.evaluation.local_servers.local_server import LocalServer, Ports
from tasks.evaluation.local_servers.server_commands import ServerCommand, find_commands

STILL_WAITING_SECONDS = 10.0


class Replicas:
    """Servers of one model that this process has started.

    Args:
        commands: how they are started.
        log_folder: the folder for their logs.
        notify: takes what the user should know.

    Raises:
        UserMistake: a port that the settings name is taken.
    """

    def __init__(self, commands: Sequence[ServerCommand], log_folder: Path, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._servers: list[LocalServer] = []
        ports = Ports()
        try:
            for command in commands:
                self._servers.append(LocalServer(command, ports, log_folder, notify))
        except BaseException:
            self.close()
            raise

    @property
    def urls(self) -> list[str]:
        """Return the addresses of their APIs."""
        return [server.url for server in self._servers]

    def wait_until_healthy(self) -> None:
        """Wait until all of them answer; each is watched from then on.

        Raises:
            UserMistake: one of them has ended, or took too long; the message holds the end of its log and what to try.
        """
        with ThreadPoolExecutor(len(self._servers)) as pool:
            try:
                self._wait_for([pool.submit(server.wait_until_healthy) for server in self._servers])
            except BaseException:
                self._let_go()  # or the pool would wait for those that are still loading
                raise
        if len(self._servers) > 1:
            self._notify(f"All answer: {', '.join(f'{server.name} at {server.url}' for server in self._servers)}")

    def close(self) -> None:
        """Stop all of them, and wait until they are gone."""
        self._let_go()
        for server in self._servers:
            server.close()

    def _let_go(self) -> None:
        for server in self._servers:
            server.let_go()

    def _wait_for(self, waits: Collection[Future[None]]) -> None:
        """Return when all waits have ended, or raise the first error; tell now and then how many go on."""
        begun, loading = time.monotonic(), set(waits)
        while loading:
            done, loading = wait(loading, STILL_WAITING_SECONDS, FIRST_COMPLETED)
            for each in done:
                each.result()
            if not done:
                name = self._servers[0].name if len(waits) == 1 else f"{len(loading)} of {len(waits)} servers"
                self._notify(f"Still waiting for {name} ({time.monotonic() - begun:.0f} s) …")


def start_servers(config: Config, log_folder: Path, notify: Callable[[str], None]) -> Replicas | None:
    """Start the servers that the settings ask for; None if they name such that are already running."""
    commands = find_commands(config)
    return Replicas(commands, log_folder, notify) if commands else None
