"""A Prefect worker that ends with the process that started it: `python -m flows.serving.worker_process ARGUMENT …`.

A worker gives each run a session of its own and lets it go on when it ends itself. To leave nothing behind, the runs are asked
to stop first, and have saved and reported it before their worker is stopped. That also happens when the process that started
this one is killed: its end of our standard input is then closed.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tasks.evaluation.processes.process_table import find_parents
from tasks.evaluation.processes.supervised import kill_session, stop_session, watch_parent

# A run gives answers in flight 5 seconds, and writes its checkpoint.
SAVE_SECONDS = 30.0
POLL_SECONDS = 0.1


def main() -> None:
    """Run the worker until it ends or standard input does; exit with its code."""
    # Started in the background of a script, a process inherits that it ignores this signal, by which a worker is stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-P", "-m", "prefect", "worker", "start", *sys.argv[1:]]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - ours to run
    watch_parent(lambda: _stop(worker))
    code = worker.wait()
    sys.exit(code if code >= 0 else 128 - code)


def _stop(worker: "subprocess.Popen[bytes]") -> None:
    """Stop the runs, then their worker, even if the first fails."""
    try:
        _stop_runs(worker.pid)
        stop_session(worker, signal.SIGINT)
    finally:
        kill_session(worker)


def _stop_runs(worker: int) -> None:
    deadline, asked = time.monotonic() + SAVE_SECONDS, set[int]()
    while (runs := _list_children(worker)) and time.monotonic() < deadline:
        _send(runs - asked, signal.SIGTERM)
        asked |= runs
        time.sleep(POLL_SECONDS)
    _send(_list_children(worker), signal.SIGKILL)


def _list_children(process: int) -> set[int]:
    """Return the processes that this one has started and that have not ended."""
    return {child for child, parent in find_parents().items() if parent == process}


def _send(processes: set[int], number: signal.Signals) -> None:
    """Send the signal to the processes, and to what they have started themselves."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process, number)


if __name__ == "__main__":
    main()
