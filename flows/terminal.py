"""How the commands speak to the terminal that they run in, and to the shell."""

import os
import sys
from typing import TextIO

# A run that a signal has stopped exits with 128 + the signal's number.
EXIT_DONE, EXIT_UNFINISHED, EXIT_MISTAKE = 0, 1, 2


def tell(line: str, stream: TextIO | None = None) -> None:
    """Print the line; a terminal or pipe that has gone away costs the line and nothing else."""
    try:
        print(line, file=stream or sys.stdout, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())
