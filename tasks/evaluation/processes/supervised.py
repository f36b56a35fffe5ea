"""A command that ends when the process that started it does.

`python -m tasks.evaluation.processes.supervised COMMAND [ARGUMENT …]`

A server that we start must not outlive us, in whatever way we end. It is therefore started through this process, whose standard
input is a pipe that only we hold. The pipe ends when we do, even by SIGKILL, and then the command and all that it has started
are stopped. This works wherever there are pipes, and needs no help from the command.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

# How long a command may take to end by itself.
STOP_SECONDS = 5.0


def main() -> None:
    """Run the command until it ends or standard input does; exit with its code."""
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - ours to run
    watch_parent(lambda: stop_session(command, signal.SIGTERM))
    code = command.wait()
    # Processes that it has started may outlive it, and would still hold its port and memory when it is restarted.
    kill_session(command)
    sys.exit(code if code >= 0 else 128 - code)


def watch_parent(on_end: Callable[[], None]) -> None:
    """Call the function, on a thread, when standard input ends."""

    def wait_for_end() -> None:
        # Not through sys.stdin: a thread that waits there holds its lock when the interpreter ends.
        while os.read(0, 1):
            pass
        on_end()

    threading.Thread(target=wait_for_end, name="watch-parent", daemon=True).start()


def stop_session(leader: "subprocess.Popen[bytes]", first_signal: signal.Signals) -> None:
    """Ask the process to end and, after a few seconds, kill what is left of its session."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(leader.pid, first_signal)
        leader.wait(timeout=STOP_SECONDS)
    kill_session(leader)


def kill_session(leader: "subprocess.Popen[bytes]") -> None:
    """Kill the process that leads the session, and all that it has started there."""
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: on macOS, if all of them have ended
        os.killpg(leader.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
