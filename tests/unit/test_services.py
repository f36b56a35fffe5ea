"""The processes of `mcqa serve`: interrupted while they are started, ended too often, stopped in order."""

import os
import signal
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

import pytest

from flows.serving.services import Service
from tasks.evaluation.errors import ServerFailure
from tasks.evaluation.processes.process_table import find_parents
from tests.support.fake_endpoint import wait_until

SUPERVISED = "tasks.evaluation.processes.supervised"
SLEEP = [SUPERVISED, sys.executable, "-c", "import time; time.sleep(600)"]
FAIL = [SUPERVISED, sys.executable, "-c", "raise SystemExit('no database')"]


def find_own() -> set[int]:
    """Return the processes that this one has started."""
    return {pid for pid, parent in find_parents().items() if parent == os.getpid()}


def raise_interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Popen's, of a process that it was making
@pytest.mark.timeout(60)
@pytest.mark.parametrize("delay_microseconds", range(0, 12_000, 200))
def test_an_interrupt_at_any_moment_of_the_start_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, delay_microseconds: int
) -> None:
    """Neither a process nor a wait for one that holds the other's lifeline."""
    server = Service("A server", SLEEP, environment=os.environ, log_path=tmp_path / "server.log")
    worker = Service("A worker", SLEEP, environment=os.environ, log_path=tmp_path / "worker.log", outlived_by=server)
    before, handler = find_own(), signal.signal(signal.SIGUSR1, raise_interrupt)
    timer = threading.Timer(delay_microseconds / 1e6, os.kill, (os.getpid(), signal.SIGUSR1))
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        timer.start()
        server.start_within(stack)
        worker.start_within(stack)
        timer.join()
    signal.signal(signal.SIGUSR1, handler)
    wait_until(lambda: not find_own() - before)


def test_the_server_outlives_the_worker(tmp_path: Path) -> None:
    """Runs report their end to it, also when the command itself was killed: the worker holds the server's lifeline."""
    server = Service("A server", SLEEP, environment=os.environ, log_path=tmp_path / "server.log")
    worker = Service("A worker", SLEEP, environment=os.environ, log_path=tmp_path / "worker.log", outlived_by=server)
    with ExitStack() as outer, ExitStack() as inner:
        worker.start_within(inner)
        server.start_within(outer)
        inner.close()
        assert not is_running(worker)
        assert is_running(server)
    assert not is_running(server)


def is_running(service: Service) -> bool:
    return service.check()


def test_a_service_that_ends_at_once_each_time_is_given_up(tmp_path: Path) -> None:
    """Twice it is started again; then the message has its name, its code and its last words."""
    service = Service("A server", FAIL, environment=os.environ, log_path=tmp_path / "server.log")
    with ExitStack() as stack:
        service.start_within(stack)
        wait_until(lambda: not service.check())
        service.start()
        wait_until(lambda: not service.check())
        service.start()
        with pytest.raises(ServerFailure, match=r"A server has ended with code 1: .*no database"):
            wait_until(lambda: not service.check())
