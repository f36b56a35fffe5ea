"""A process that we start ends when we do, and says why when it does not come up."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.evaluation.processes.child_process import ChildFailure, ChildProcess, find_free_port, is_answering, is_free
from tasks.evaluation.processes.process_table import find_parents
from tests.support.fake_endpoint import FakeEndpoint, wait_until

SUPERVISED = "tasks.evaluation.processes.supervised"
# It starts a process of its own, writes both ids, and waits.
FAMILY = """
import os, pathlib, subprocess, sys, time
own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("ids.tmp").write_text(f"{os.getpid()} {own.pid}")
os.rename("ids.tmp", "ids")
"""
WAIT = "time.sleep(600)"


@pytest.fixture
def child(folder: Path) -> Iterator[ChildProcess]:
    """Yield a child process in which nothing was started yet."""
    process = ChildProcess("A server", log_path=folder / "logs/server.log")
    yield process
    process.stop()


def run_python(code: str) -> list[str]:
    return [SUPERVISED, sys.executable, "-c", code]


def read_ids(folder: Path) -> set[int]:
    """Return the ids that FAMILY has written."""
    wait_until((folder / "ids").exists)
    return set(map(int, (folder / "ids").read_text().split()))


def test_stop_ends_it_and_all_that_it_has_started(folder: Path, child: ChildProcess) -> None:
    """Before it returns, the child is gone; what the child has started is gone with it."""
    child.start(run_python(FAMILY + WAIT))
    ids = read_ids(folder)
    assert ids <= find_parents().keys()
    child.stop()
    assert child.exit_code is not None
    wait_until(lambda: not ids & find_parents().keys())


def test_what_a_command_has_started_ends_with_it(folder: Path, child: ChildProcess) -> None:
    """A worker process that is left over would hold the port and the memory that the next start needs."""
    child.start(run_python(FAMILY + "sys.exit(3)"))
    ids = read_ids(folder)
    assert child.wait() == 3
    wait_until(lambda: not ids & find_parents().keys())


def test_a_child_does_not_outlive_a_killed_parent(folder: Path) -> None:
    """SIGKILL runs none of our code: the kernel closes the lifeline."""
    code = (
        "import pathlib, sys, time\n"
        "from tasks.evaluation.processes.child_process import ChildProcess\n"
        "child = ChildProcess('A server', log_path=pathlib.Path('server.log'))\n"
        f"child.start({run_python(FAMILY + WAIT)!r})\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    ids = read_ids(folder)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not ids & find_parents().keys())


def test_a_child_that_ignores_sigterm_is_killed(folder: Path, child: ChildProcess) -> None:
    """After the seconds that it may take."""
    child.start(run_python("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FAMILY + WAIT))
    ids = read_ids(folder)
    child.stop()
    wait_until(lambda: not ids & find_parents().keys())


def test_a_stopped_child_is_not_started_again(child: ChildProcess) -> None:
    """A watcher that notices the end of a child that we have stopped comes too late."""
    child.start(run_python("pass"))
    child.stop()
    assert child.start(run_python("pass")) is False


def test_a_child_can_be_started_again(child: ChildProcess) -> None:
    """Its log goes on."""
    child.start(run_python("print('first')"))
    child.wait()
    child.start(run_python("print('second')"))
    assert child.wait() == 0
    assert child.log_tail() == "first | second"


def test_files_of_the_working_directory_hide_no_module(folder: Path, child: ChildProcess) -> None:
    """A folder of questions may hold a script that is named as a module is."""
    (folder / "subprocess.py").write_text("raise RuntimeError('not this one')\n")
    (folder / "tasks").mkdir()
    (folder / "tasks/__init__.py").write_text("raise RuntimeError('nor this one')\n")
    child.start(run_python("pass"))
    assert child.wait() == 0


def test_a_child_that_ends_does_not_keep_us_waiting(child: ChildProcess) -> None:
    """The message has its name and its code; its log has the reason."""
    child.start(run_python("raise SystemExit('no such model')"))
    with pytest.raises(ChildFailure, match=r"^A server has ended with code 1$"):
        child.wait_until_healthy(lambda: False, timeout_seconds=60)
    assert child.log_tail() == "no such model"


def test_a_child_that_takes_too_long_is_given_up(child: ChildProcess) -> None:
    """The message has the time that it had."""
    child.start(run_python("import time; " + WAIT))
    with pytest.raises(ChildFailure, match=r"^A server was not ready within 0.3 s$"):
        child.wait_until_healthy(lambda: False, timeout_seconds=0.3)
    assert child.log_tail() == "(it printed nothing)"


def test_a_child_that_has_ended_may_be_started_in_another_way(folder: Path, child: ChildProcess) -> None:
    """Whoever has started it knows whether there is one."""
    child.start(run_python("raise SystemExit(1)"))
    child.wait_until_healthy(
        (folder / "ids").exists, timeout_seconds=60, start_otherwise=lambda: child.start(run_python(FAMILY + WAIT))
    )
    assert child.exit_code is None


def test_a_long_log_is_shown_from_its_end(folder: Path, child: ChildProcess) -> None:
    """Nobody reads the gigabyte before it."""
    child.log_path.write_text("x" * 200_000 + "\nlast but one\nlast\n")
    assert child.log_tail(2, separator="\n") == "last but one\nlast"


def test_a_server_of_this_machine_is_asked_without_a_proxy(endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the environment names one for everything."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert is_answering(f"{endpoint.url}/health")
    assert not is_answering(f"http://127.0.0.1:{find_free_port('127.0.0.1')}/health")


def test_a_port_that_somebody_listens_on_is_not_free(endpoint: FakeEndpoint) -> None:
    """One that nobody does is."""
    taken = int(endpoint.url.rsplit(":", 1)[1].split("/")[0])
    assert not is_free("127.0.0.1", taken)
    assert is_free("127.0.0.1", find_free_port("127.0.0.1"))
