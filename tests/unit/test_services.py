"""The processes of `mcqa serve`, interrupted while they are started."""

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

import pytest

from flows.serving import services
from flows.serving.process_table import find_parents
from flows.serving.services import Service
from tests.support.fake_endpoint import wait_until

# A command that would go on for ever, under the supervisor that ends it with its lifeline.
SLEEP = ["tasks.evaluation.local_servers.supervised", sys.executable, "-c", "import time; time.sleep(600)"]


class Interrupt:
    """Ctrl-C before the n-th line that the module of services, or the standard library's Popen, runs."""

    def __init__(self, line: int) -> None:
        self.lines_left = line

    def __call__(self, frame: FrameType, event: str, _: object) -> "Interrupt | None":
        if not frame.f_code.co_filename.endswith((services.__file__, "subprocess.py")):
            return None
        self.lines_left -= event == "line"
        if event == "line" and self.lines_left == 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return self


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Popen's, of a process that it was making
@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", range(10, 660, 8))
def test_an_interrupt_at_any_line_of_the_start_leaves_nothing(tmp_path: Path, line: int) -> None:
    """Neither a process nor a wait for one that holds the other's lifeline."""
    server = Service("A server", SLEEP, environment=os.environ, log_path=tmp_path / "server.log")
    worker = Service("A worker", SLEEP, environment=os.environ, log_path=tmp_path / "worker.log", outlived_by=server)
    before = find_own()
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        sys.settrace(Interrupt(line))
        try:
            server.start_within(stack)
            worker.start_within(stack)
        finally:
            sys.settrace(None)
    wait_until(lambda: not find_own() - before)


def find_own() -> set[int]:
    """The processes that this one has started."""
    return {pid for pid, parent in find_parents().items() if parent == os.getpid()}
