"""A command that ends when the process that started it does.

`python -m tasks.evaluation.local_servers.supervised COMMAND [ARGUMENT …]`

A server that we start must not outlive us, in whatever way we end. So it is started through this process, whose standard input
is a pipe that only we hold: the pipe ends when we do, SIGKILL included, and then the command and all that it has started are
stopped. Works wherever there are pipes, and needs no help from the command.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

# How long the command may take to end by itself.
STOP_SECONDS = 5.0


def main() -> None:
    """Run the command until it ends or standard input does; exit with its code."""
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - ours to run
    watch_parent(lambda: _stop(command))
    code = command.wait()
    sys.exit(code if code >= 0 else 128 - code)


def watch_parent(on_end: Callable[[], None]) -> None:
    """Call the function, on a thread, when standard input ends."""

    def wait_for_end() -> None:
        # Not through sys.stdin, whose lock a thread that waits would hold when the interpreter ends.
        while os.read(0, 1):
            pass
        on_end()

    threading.Thread(target=wait_for_end, name="watch-parent", daemon=True).start()


def _stop(command: "subprocess.Popen[bytes]") -> None:
    """End the command's whole session, at first kindly."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(command.pid, signal.SIGTERM)
        command.wait(timeout=STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
