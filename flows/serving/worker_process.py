"""A Prefect worker that ends with the process that started it: `python -m flows.serving.worker_process ARGUMENT …`.

A worker gives each run a session of its own, and the runs go on when the worker ends. To leave nothing behind, the runs are
asked to stop first, and save and report before their worker is stopped. This also happens when the process that started this
one is killed, because our standard input is then closed.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tasks.evaluation.processes.process_table import find_parents
from tasks.evaluation.processes.supervised import kill_session, stop_session, watch_parent

# A stopping run waits 5 seconds for answers in flight, then writes its checkpoint.
SAVE_SECONDS = 30.0
POLL_SECONDS = 0.1


def main() -> None:
    """Run the worker until it ends or standard input does; exit with its code."""
    # A process started in the background of a script ignores SIGINT, and so would the worker, which is stopped by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-P", "-m", "flows.serving.worker", *sys.argv[1:]]
    worker = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - ours to run
    watch_parent(lambda: _stop(worker))
    code = worker.wait()
    sys.exit(code if code >= 0 else 128 - code)


def _stop(worker: "subprocess.Popen[bytes]") -> None:
    """Stop the runs, then their worker, even if stopping the runs fails."""
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
    """Return the ids of the process's children that have not ended."""
    return {child for child, parent in find_parents().items() if parent == process}


def _send(processes: set[int], number: signal.Signals) -> None:
    """Send the signal to each process and to the rest of its process group."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process, number)


if __name__ == "__main__":
    main()
